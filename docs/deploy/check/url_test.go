package check

import (
	"strings"
	"testing"

	networking "k8s.io/api/networking/v1"
)

// withURL renders the base with the component prices-url.
const withURL = "base+components/prices-url"

// TestPricesOfAURL checks that a pod with prices from a URL reaches DNS and HTTPS, and that one
// without reaches nothing.
func TestPricesOfAURL(t *testing.T) {
	const policy = "NetworkPolicy/tickercast"
	objects := render(t, withURL)
	ports := map[int32]bool{}
	for _, rule := range object[networking.NetworkPolicy](t, objects,
		policy+"-prices-url").Spec.Egress {
		for _, p := range rule.Ports {
			ports[p.Port.IntVal] = true
		}
	}
	if len(ports) != 2 || !ports[53] || !ports[443] {
		t.Errorf("lets out to the ports %v, want 53 and 443", ports)
	}
	for _, folder := range []string{"base", "overlays/production"} {
		for name, o := range render(t, folder) {
			if p, ok := o.(*networking.NetworkPolicy); ok && len(p.Spec.Egress) > 0 {
				t.Errorf("%s: %s lets out, but no URL is asked", folder, name)
			}
		}
	}
	url := ""
	for _, env := range podOf(t, objects).Containers[0].Env {
		if env.Name == "TICKERCAST_PRICES" {
			url = env.Value
		}
	}
	if !strings.HasPrefix(url, "https://") {
		t.Errorf("got prices from %q, want a URL", url)
	}
}
