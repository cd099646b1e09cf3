package main

import (
	"encoding/json"
	"fmt"
	"sort"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// As schema/schema.ts describes it.
type providerSchema struct {
	Provider    *block            `json:"provider"`
	Resources   map[string]*block `json:"resources"`
	DataSources map[string]*block `json:"dataSources"`
}

type block struct {
	Attributes map[string]attribute   `json:"attributes"`
	Blocks     map[string]nestedBlock `json:"blocks"`
}

type attribute struct {
	Type attributeType `json:"type"`
	Mode string        `json:"mode"`
}

type nestedBlock struct {
	Nesting string `json:"nesting"`
	Min     int64  `json:"min"`
	Max     int64  `json:"max"`
	Block   *block `json:"block"`
}

type attributeType struct{ tftypes.Type }

func (t *attributeType) UnmarshalJSON(text []byte) error {
	var name string
	if json.Unmarshal(text, &name) == nil {
		switch name {
		case "string":
			t.Type = tftypes.String
		case "number":
			t.Type = tftypes.Number
		case "bool":
			t.Type = tftypes.Bool
		case "any":
			t.Type = tftypes.DynamicPseudoType
		default:
			return fmt.Errorf("unknown type %q", name)
		}
		return nil
	}
	var parts [2]json.RawMessage
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	var kind string
	var element attributeType
	if err := json.Unmarshal(parts[0], &kind); err != nil {
		return err
	}
	if err := json.Unmarshal(parts[1], &element); err != nil {
		return err
	}
	switch kind {
	case "list":
		t.Type = tftypes.List{ElementType: element.Type}
	case "set":
		t.Type = tftypes.Set{ElementType: element.Type}
	case "map":
		t.Type = tftypes.Map{ElementType: element.Type}
	default:
		return fmt.Errorf("unknown collection %q", kind)
	}
	return nil
}

func (b *block) toProtocol() *tfprotov5.SchemaBlock {
	out := &tfprotov5.SchemaBlock{}
	for _, name := range sorted(b.Attributes) {
		each := b.Attributes[name]
		out.Attributes = append(out.Attributes, &tfprotov5.SchemaAttribute{
			Name:     name,
			Type:     each.Type.Type,
			Required: each.Mode == "required",
			Optional: each.Mode == "optional",
			Computed: each.Mode != "required",
		})
	}
	for _, name := range sorted(b.Blocks) {
		each := b.Blocks[name]
		out.BlockTypes = append(out.BlockTypes, &tfprotov5.SchemaNestedBlock{
			TypeName: name,
			Block:    each.Block.toProtocol(),
			Nesting:  each.nestingMode(),
			MinItems: each.Min,
			MaxItems: each.Max,
		})
	}
	return out
}

func (n nestedBlock) nestingMode() tfprotov5.SchemaNestedBlockNestingMode {
	switch n.Nesting {
	case "set":
		return tfprotov5.SchemaNestedBlockNestingModeSet
	case "single":
		return tfprotov5.SchemaNestedBlockNestingModeSingle
	default:
		return tfprotov5.SchemaNestedBlockNestingModeList
	}
}

func (b *block) objectType() tftypes.Type {
	types := map[string]tftypes.Type{}
	for name, each := range b.Attributes {
		types[name] = each.Type.Type
	}
	for name, each := range b.Blocks {
		inner := each.Block.objectType()
		switch each.Nesting {
		case "set":
			types[name] = tftypes.Set{ElementType: inner}
		case "single":
			types[name] = inner
		default:
			types[name] = tftypes.List{ElementType: inner}
		}
	}
	return tftypes.Object{AttributeTypes: types}
}

func sorted[T any](all map[string]T) []string {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
