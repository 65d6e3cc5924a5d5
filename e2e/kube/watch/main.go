// Command watch is a client-go program as people write them: it takes what a
// kubeconfig says, lists the cluster's namespaces, and with -for watches a
// namespace's config maps for that long, through one client that outlives its
// tokens. Each watch that went well prints "turn"; any error ends the program.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	file := flag.String("kubeconfig", "", "the kubeconfig")
	namespace := flag.String("namespace", "default", "whose config maps to watch")
	length := flag.Duration("for", 0, "how long to watch; 0 lists the namespaces alone")
	flag.Parse()
	if err := run(*file, *namespace, *length); err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		os.Exit(1)
	}
}

func run(file, namespace string, length time.Duration) error {
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx := context.Background()
	list, err := client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, item := range list.Items {
		fmt.Println(item.Name)
	}
	return watch(ctx, client, namespace, length)
}

// watch lists and watches, and begins again whenever the server has ended the watch,
// every 5 seconds.
func watch(ctx context.Context, client kubernetes.Interface, namespace string, length time.Duration) error {
	maps := client.CoreV1().ConfigMaps(namespace)
	for end := time.Now().Add(length); time.Now().Before(end); {
		list, err := maps.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		turn := int64(5)
		events, err := maps.Watch(ctx, metav1.ListOptions{TimeoutSeconds: &turn, ResourceVersion: list.ResourceVersion})
		if err != nil {
			return err
		}
		for event := range events.ResultChan() {
			if event.Type == apiwatch.Error {
				return fmt.Errorf("the watch ended: %w", apierrors.FromObject(event.Object))
			}
		}
		fmt.Println("turn")
	}
	return nil
}
