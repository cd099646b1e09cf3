// Stubprovider stands in for the providers of Google and AWS where they cannot be downloaded. Its schema comes from the
// file that STUB_SCHEMA_<NAME> names, so Terraform itself refuses an unknown attribute, a wrong type or a missing
// required one. It plans like a real provider, and "creates" resources by inventing what a cloud would answer.
//
// The name is the end of the program's own: terraform-provider-google serves STUB_SCHEMA_GOOGLE.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
)

func main() {
	name := strings.TrimPrefix(strings.SplitN(filepath.Base(os.Args[0]), "_", 2)[0], "terraform-provider-")
	schema, err := readSchema(os.Getenv("STUB_SCHEMA_" + strings.ToUpper(name)))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	address := "hashicorp/" + name
	err = tf5server.Serve(address, func() tfprotov5.ProviderServer { return &provider{schema: schema} })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func readSchema(path string) (*providerSchema, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the schema of the stub provider: %w", err)
	}
	var schema providerSchema
	if err := json.Unmarshal(text, &schema); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &schema, nil
}
