package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/ingot-metal/ingot"
)

// PutBlob keeps a small file (a config drive, a script) under a key, the digest or token in its URL, until the given
// time; the zero time is for ever. What was there is replaced. The content is encrypted, and of the key only a digest is
// kept.
func (s *Store) PutBlob(ctx context.Context, key, mediaType string, data []byte, until time.Time) error {
	if key == "" {
		return ingot.Errorf(ingot.Invalid, "cannot keep a file without a key")
	}
	id := blobID(key)
	sealed, err := s.keys.seal(data, "blobs/"+id+"/data")
	if err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO blobs (key, media_type, data, until, created_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET media_type = excluded.media_type, data = excluded.data, until = excluded.until`,
			id, mediaType, sealed, micros(until), micros(t.now))
		return err
	})
}

// Blob gives a file and its media type. NotFound: no such key, or its time is over.
func (s *Store) Blob(ctx context.Context, key string) (data []byte, mediaType string, err error) {
	var sealed []byte
	found, err := s.read(ctx).one([]any{&sealed, &mediaType}, "SELECT data, media_type FROM blobs WHERE key = ? AND (until = 0 OR until > ?)", blobID(key), micros(s.now()))
	if err != nil {
		return nil, "", s.sentence(err)
	}
	if !found {
		return nil, "", ingot.Errorf(ingot.NotFound, "File could not be found: its key is wrong or its time is over.")
	}
	data, err = s.keys.open(sealed, "blobs/"+blobID(key)+"/data")
	return data, mediaType, err
}

// DeleteBlob removes a file; one that is not there is no error.
func (s *Store) DeleteBlob(ctx context.Context, key string) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec("DELETE FROM blobs WHERE key = ?", blobID(key))
		return err
	})
}

func blobID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
