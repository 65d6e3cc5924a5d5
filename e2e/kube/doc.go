// Package kube pins the kube-apiserver that the end-to-end tests start, and the
// kubectl of the same release; e2e-deps.sh builds both. It is a module of its own, so
// that svcconn's stays free of Kubernetes' server side. watch is a client for the
// tests.
package kube

import (
	_ "k8s.io/kubectl/pkg/cmd"
	_ "k8s.io/kubernetes/cmd/kube-apiserver/app"
)
