# One regular machine, with nothing but what has to be said.

# Only plans: Terraform could not clean up after an apply, because of prevent_destroy. test/terraform/apply.test.ts
# applies, and checks what refers to what.
mock_provider "aws" {}

variables {
  subnet_id           = "subnet-0123456789abcdef0"
  admin_ssh_keys      = { carol = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y carol@laptop" }
  allowed_ssh_sources = ["198.51.100.0/24"]
  release_url         = "https://downloads.example.org/containarium.tar.gz"
  release_sha256      = "0000000000000000000000000000000000000000000000000000000000000000"
}

run "a_group_of_one_starts_another_machine" {
  command = plan

  assert {
    condition     = aws_autoscaling_group.server["containarium-jump"].min_size == 1 && aws_autoscaling_group.server["containarium-jump"].max_size == 1
    error_message = "a group of one"
  }
  assert {
    condition     = length(aws_autoscaling_group.server["containarium-jump"].instance_refresh) == 0
    error_message = "an apply ends no session"
  }
  assert {
    condition     = length(aws_autoscaling_group.server["containarium-jump"].availability_zones) == 1
    error_message = "the zone of the disk"
  }
}

run "metadata_is_for_the_machine_alone" {
  command = plan

  assert {
    condition     = one(aws_launch_template.server["containarium-jump"].metadata_options).http_tokens == "required"
    error_message = "IMDSv2"
  }
  assert {
    condition     = one(aws_launch_template.server["containarium-jump"].metadata_options).http_put_response_hop_limit == 1
    error_message = "answers do not reach containers"
  }
}

run "disks_are_encrypted_and_have_snapshots" {
  command = plan

  assert {
    condition     = aws_ebs_volume.data["containarium-jump"].encrypted
    error_message = "data disk"
  }
  assert {
    condition     = one(one(aws_launch_template.server["containarium-jump"].block_device_mappings).ebs).encrypted == "true"
    error_message = "boot disk"
  }
  assert {
    condition     = one(aws_dlm_lifecycle_policy.daily_snapshots[0].policy_details).target_tags == tomap({ containarium_data = aws_ebs_volume.data["containarium-jump"].tags.containarium_data })
    error_message = "the policy looks for the tag that the disks have"
  }
  assert {
    condition     = one(one(one(aws_dlm_lifecycle_policy.daily_snapshots[0].policy_details).schedule).retain_rule).count == 30
    error_message = "30 days"
  }
}

run "only_the_networks_that_were_named_get_in" {
  command = plan

  assert {
    condition     = sort([for rule in aws_vpc_security_group_ingress_rule.ssh : "${rule.cidr_ipv4} ${rule.from_port}-${rule.to_port}"]) == tolist(["198.51.100.0/24 22-22", "198.51.100.0/24 2222-2222"])
    error_message = "ports 22 and 2222"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.remote) == 0
    error_message = "port 50051 is closed"
  }
}
