package vbmc

import "context"

type redfishServer struct{}

func newRedfishServer(s *Server) *redfishServer          { return &redfishServer{} }
func (r *redfishServer) serve(ctx context.Context) error { return nil }
func (r *redfishServer) close()                          {}
