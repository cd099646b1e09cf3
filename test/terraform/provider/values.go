package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// fill returns the object with what the provider sets in it: the attributes that are null (when planning) or unknown
// (when applying) and that the configuration does not have to set.
func fill(b *block, object tftypes.Value, value func(name string, t tftypes.Type) tftypes.Value) (tftypes.Value, error) {
	return fillBlock(b, object, value, true)
}

func fillBlock(
	b *block, object tftypes.Value, value func(string, tftypes.Type) tftypes.Value, outermost bool,
) (tftypes.Value, error) {
	if object.IsNull() || !object.IsKnown() {
		return object, nil
	}
	var members map[string]tftypes.Value
	if err := object.As(&members); err != nil {
		return object, err
	}
	for name, each := range b.Attributes {
		member := members[name]
		missing := !member.IsKnown() || (outermost && member.IsNull())
		if missing && each.Mode != "required" {
			members[name] = value(name, each.Type.Type)
		} else if !member.IsKnown() {
			members[name] = value(name, each.Type.Type)
		}
	}
	for name, each := range b.Blocks {
		filled, err := fillNested(each, members[name], value)
		if err != nil {
			return object, err
		}
		members[name] = filled
	}
	return tftypes.NewValue(object.Type(), members), nil
}

func fillNested(
	n nestedBlock, nested tftypes.Value, value func(string, tftypes.Type) tftypes.Value,
) (tftypes.Value, error) {
	if n.Nesting == "single" || nested.IsNull() || !nested.IsKnown() {
		return nested, nil
	}
	var items []tftypes.Value
	if err := nested.As(&items); err != nil {
		return nested, err
	}
	for at, item := range items {
		filled, err := fillBlock(n.Block, item, value, false)
		if err != nil {
			return nested, err
		}
		items[at] = filled
	}
	return tftypes.NewValue(nested.Type(), items), nil
}

func unknown(_ string, t tftypes.Type) tftypes.Value {
	return tftypes.NewValue(t, tftypes.UnknownValue)
}

// invented returns a function that answers as a cloud would: a string says which resource and attribute it is of.
func invented(resource string, object tftypes.Value) func(string, tftypes.Type) tftypes.Value {
	seed := sha256.Sum256([]byte(resource + object.String()))
	id := hex.EncodeToString(seed[:])[:17]
	return func(name string, t tftypes.Type) tftypes.Value {
		switch {
		case t.Is(tftypes.String):
			if text, ok := wellKnown(resource, name, seed, id); ok {
				return tftypes.NewValue(t, text)
			}
			return tftypes.NewValue(t, fmt.Sprintf("%s.%s.%s", resource, name, id))
		case t.Is(tftypes.Number):
			return tftypes.NewValue(t, new(big.Float).SetInt64(1))
		case t.Is(tftypes.Bool):
			return tftypes.NewValue(t, false)
		case t.Is(tftypes.Map{}):
			return tftypes.NewValue(t, map[string]tftypes.Value{})
		case t.Is(tftypes.List{}), t.Is(tftypes.Set{}):
			return tftypes.NewValue(t, []tftypes.Value{})
		default:
			return tftypes.NewValue(tftypes.String, nil)
		}
	}
}

// wellKnown returns values whose form terraform/ relies on.
func wellKnown(resource, name string, seed [32]byte, id string) (string, bool) {
	address := fmt.Sprintf("203.0.113.%d", 1+int(seed[0])%250)
	switch resource + "." + name {
	case "google_compute_address.address", "aws_eip.public_ip":
		return address, true
	case "aws_ebs_volume.id":
		return "vol-" + id, true
	case "aws_ebs_volume.arn":
		return "arn:aws:ec2:us-east-1:123456789012:volume/vol-" + id, true
	case "aws_subnet.availability_zone":
		return "us-east-1a", true
	case "aws_subnet.vpc_id":
		return "vpc-" + id, true
	case "aws_ssm_parameter.insecure_value":
		return "ami-" + id, true
	}
	return "", false
}
