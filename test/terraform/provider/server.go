package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type provider struct {
	tfprotov5.ProviderServer // what is not here is not called
	schema                   *providerSchema
}

func (p *provider) GetMetadata(context.Context, *tfprotov5.GetMetadataRequest) (*tfprotov5.GetMetadataResponse, error) {
	out := &tfprotov5.GetMetadataResponse{ServerCapabilities: &tfprotov5.ServerCapabilities{}}
	for _, name := range sorted(p.schema.Resources) {
		out.Resources = append(out.Resources, tfprotov5.ResourceMetadata{TypeName: name})
	}
	for _, name := range sorted(p.schema.DataSources) {
		out.DataSources = append(out.DataSources, tfprotov5.DataSourceMetadata{TypeName: name})
	}
	return out, nil
}

func (p *provider) GetProviderSchema(
	context.Context, *tfprotov5.GetProviderSchemaRequest,
) (*tfprotov5.GetProviderSchemaResponse, error) {
	out := &tfprotov5.GetProviderSchemaResponse{
		ServerCapabilities: &tfprotov5.ServerCapabilities{},
		Provider:           &tfprotov5.Schema{Block: p.schema.Provider.toProtocol()},
		ResourceSchemas:    map[string]*tfprotov5.Schema{},
		DataSourceSchemas:  map[string]*tfprotov5.Schema{},
	}
	for name, each := range p.schema.Resources {
		out.ResourceSchemas[name] = &tfprotov5.Schema{Block: each.toProtocol()}
	}
	for name, each := range p.schema.DataSources {
		out.DataSourceSchemas[name] = &tfprotov5.Schema{Block: each.toProtocol()}
	}
	return out, nil
}

func (p *provider) GetResourceIdentitySchemas(
	context.Context, *tfprotov5.GetResourceIdentitySchemasRequest,
) (*tfprotov5.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov5.GetResourceIdentitySchemasResponse{}, nil
}

func (p *provider) PrepareProviderConfig(
	_ context.Context, request *tfprotov5.PrepareProviderConfigRequest,
) (*tfprotov5.PrepareProviderConfigResponse, error) {
	return &tfprotov5.PrepareProviderConfigResponse{PreparedConfig: request.Config}, nil
}

func (p *provider) ConfigureProvider(
	context.Context, *tfprotov5.ConfigureProviderRequest,
) (*tfprotov5.ConfigureProviderResponse, error) {
	return &tfprotov5.ConfigureProviderResponse{}, nil
}

func (p *provider) StopProvider(
	context.Context, *tfprotov5.StopProviderRequest,
) (*tfprotov5.StopProviderResponse, error) {
	return &tfprotov5.StopProviderResponse{}, nil
}

// Terraform has checked the configuration against the schema before it calls these two.
func (p *provider) ValidateResourceTypeConfig(
	context.Context, *tfprotov5.ValidateResourceTypeConfigRequest,
) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	return &tfprotov5.ValidateResourceTypeConfigResponse{}, nil
}

func (p *provider) ValidateDataSourceConfig(
	context.Context, *tfprotov5.ValidateDataSourceConfigRequest,
) (*tfprotov5.ValidateDataSourceConfigResponse, error) {
	return &tfprotov5.ValidateDataSourceConfigResponse{}, nil
}

func (p *provider) ReadDataSource(
	_ context.Context, request *tfprotov5.ReadDataSourceRequest,
) (*tfprotov5.ReadDataSourceResponse, error) {
	schema, ok := p.schema.DataSources[request.TypeName]
	if !ok {
		return nil, fmt.Errorf("no data source %s", request.TypeName)
	}
	config, err := request.Config.Unmarshal(schema.objectType())
	if err != nil {
		return nil, err
	}
	read, err := fill(schema, config, invented(request.TypeName, config))
	if err != nil {
		return nil, err
	}
	state, err := tfprotov5.NewDynamicValue(schema.objectType(), read)
	return &tfprotov5.ReadDataSourceResponse{State: &state}, err
}

func (p *provider) UpgradeResourceState(
	_ context.Context, request *tfprotov5.UpgradeResourceStateRequest,
) (*tfprotov5.UpgradeResourceStateResponse, error) {
	schema, ok := p.schema.Resources[request.TypeName]
	if !ok {
		return nil, fmt.Errorf("no resource %s", request.TypeName)
	}
	value, err := request.RawState.Unmarshal(schema.objectType())
	if err != nil {
		return nil, err
	}
	state, err := tfprotov5.NewDynamicValue(schema.objectType(), value)
	return &tfprotov5.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

func (p *provider) ReadResource(
	_ context.Context, request *tfprotov5.ReadResourceRequest,
) (*tfprotov5.ReadResourceResponse, error) {
	return &tfprotov5.ReadResourceResponse{NewState: request.CurrentState, Private: request.Private}, nil
}

func (p *provider) PlanResourceChange(
	_ context.Context, request *tfprotov5.PlanResourceChangeRequest,
) (*tfprotov5.PlanResourceChangeResponse, error) {
	schema, ok := p.schema.Resources[request.TypeName]
	if !ok {
		return nil, fmt.Errorf("no resource %s", request.TypeName)
	}
	proposed, err := request.ProposedNewState.Unmarshal(schema.objectType())
	if err != nil {
		return nil, err
	}
	if proposed.IsNull() {
		return &tfprotov5.PlanResourceChangeResponse{PlannedState: request.ProposedNewState}, nil
	}
	prior, err := request.PriorState.Unmarshal(schema.objectType())
	if err != nil {
		return nil, err
	}
	if !prior.IsNull() {
		return &tfprotov5.PlanResourceChangeResponse{PlannedState: request.ProposedNewState}, nil
	}
	filled, err := fill(schema, proposed, unknown)
	if err != nil {
		return nil, err
	}
	planned, err := tfprotov5.NewDynamicValue(schema.objectType(), filled)
	return &tfprotov5.PlanResourceChangeResponse{PlannedState: &planned}, err
}

func (p *provider) ApplyResourceChange(
	_ context.Context, request *tfprotov5.ApplyResourceChangeRequest,
) (*tfprotov5.ApplyResourceChangeResponse, error) {
	schema, ok := p.schema.Resources[request.TypeName]
	if !ok {
		return nil, fmt.Errorf("no resource %s", request.TypeName)
	}
	planned, err := request.PlannedState.Unmarshal(schema.objectType())
	if err != nil {
		return nil, err
	}
	var applied tftypes.Value
	if applied, err = fill(schema, planned, invented(request.TypeName, planned)); err != nil {
		return nil, err
	}
	state, err := tfprotov5.NewDynamicValue(schema.objectType(), applied)
	return &tfprotov5.ApplyResourceChangeResponse{NewState: &state}, err
}
