package store

// SealedColumns are the columns that the rotation of the secret goes through, as TABLE.COLUMN.
func SealedColumns() []string {
	var names []string
	for _, c := range sealedColumns() {
		names = append(names, c.table+"."+c.column)
	}
	return names
}

// KeepPrepared has a store on SQLite keep fewer compiled statements.
func KeepPrepared(s *Store, most int) { s.compiled.most = most }
