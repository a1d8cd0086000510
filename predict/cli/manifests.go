package cli

import (
	"context"
	"flag"
	"io"

	"tickercast/docs/deploy"
)

// manifests prints Kubernetes objects for kubectl apply, for who has neither the sources nor
// kustomize.
func (e *env) manifests(fs *flag.FlagSet) func(context.Context, []string) error {
	var o deploy.Options
	fs.StringVar(&o.Image, "image", deploy.DefaultImage, "`reference` of the image to run")
	fs.StringVar(&o.Namespace, "namespace", "", "`name` of the namespace; by default kubectl's own")
	fs.BoolVar(&o.Small, "small", true, "one replica with a tenth of a CPU; if false, two or more "+
		"with an autoscaler and a disruption budget")
	return func(context.Context, []string) error {
		text, err := deploy.Manifests(o)
		if err != nil {
			return usagef("%v", err)
		}
		_, err = io.WriteString(e.stdout, text)
		return err
	}
}
