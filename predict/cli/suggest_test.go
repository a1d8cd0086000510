package cli

import "testing"

func TestSuggest(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{"serv", `, did you mean "serve"?`},
		{"TRIAN", `, did you mean "train"?`},
		{"x", ""},
		{"something", ""},
	} {
		if got := suggest(tt.got, []string{"serve", "predict", "train",
			"evaluate"}); got != tt.want {
			t.Errorf("suggest(%q) = %q, want %q", tt.got, got, tt.want)
		}
	}
}
