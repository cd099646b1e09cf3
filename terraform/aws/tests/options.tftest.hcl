# What can be asked for.

mock_provider "aws" {}

variables {
  subnet_id           = "subnet-0123456789abcdef0"
  admin_ssh_keys      = { carol = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y carol@laptop" }
  allowed_ssh_sources = []
  release_url         = "https://downloads.example.org/containarium.tar.gz"
  release_sha256      = "0000000000000000000000000000000000000000000000000000000000000000"
}

run "spot_instances" {
  command = plan
  variables {
    use_spot_instance = true
  }

  assert {
    condition     = one(aws_launch_template.server["containarium-jump"].instance_market_options).market_type == "spot"
    error_message = "Spot"
  }
}

run "no_network_gets_in_if_none_is_named" {
  command = plan

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.ssh) == 0
    error_message = "no rule"
  }
}

run "names_encryption_and_an_image" {
  command = plan
  variables {
    jump_server_count      = 2
    dns_zone_id            = "Z0123456789"
    dns_zone_domain        = "example.org"
    disk_encryption_key    = "arn:aws:kms:us-east-1:123456789012:key/k"
    ami_id                 = "ami-0123456789abcdef0"
    root_device_name       = "/dev/xvda"
    enable_disk_snapshots  = false
    apply_changes_at_once  = true
    allowed_remote_sources = ["192.0.2.0/24"]
  }

  assert {
    condition     = sort([for each in aws_route53_record.server : each.name]) == tolist(["jump-2.example.org", "jump.example.org"])
    error_message = "a name for each server"
  }
  assert {
    condition     = output.ssh_command == "ssh -p 2222 manage@jump.example.org"
    error_message = output.ssh_command
  }
  assert {
    condition     = aws_ebs_volume.data["containarium-jump-2"].kms_key_id == var.disk_encryption_key
    error_message = "data disks"
  }
  assert {
    condition     = aws_launch_template.server["containarium-jump-2"].image_id == "ami-0123456789abcdef0" && length(data.aws_ssm_parameter.ubuntu) == 0
    error_message = "the image that was named"
  }
  assert {
    condition     = length(aws_dlm_lifecycle_policy.daily_snapshots) == 0 && length(aws_iam_role.snapshots) == 0
    error_message = "no snapshots"
  }
  assert {
    condition     = one(one(aws_autoscaling_group.server["containarium-jump"].instance_refresh).preferences).min_healthy_percentage == 0
    error_message = "the old machine goes before the new one comes"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.remote["192.0.2.0/24"].from_port == 50051
    error_message = "the remote interface"
  }
}

run "memory_follows_from_the_instance_type" {
  command = plan
  variables {
    machine_type = "r6i.4xlarge"
  }

  assert {
    condition     = output.capacity_info.memory_gib == 128
    error_message = jsonencode(output.capacity_info)
  }
}

run "memory_of_a_size_without_a_number" {
  command = plan
  variables {
    machine_type = "c6a.xlarge"
  }

  assert {
    condition     = output.capacity_info.memory_gib == 8
    error_message = jsonencode(output.capacity_info)
  }
}

run "an_instance_type_that_is_not_known" {
  command = plan
  variables {
    machine_type = "m6g.large"
  }
  expect_failures = [var.machine_type]
}

run "a_subnet_that_is_none" {
  command = plan
  variables {
    subnet_id = "vpc-1"
  }
  expect_failures = [var.subnet_id]
}

run "a_domain_without_its_zone" {
  command = plan
  variables {
    dns_zone_domain = "example.org"
  }
  expect_failures = [var.dns_zone_id]
}

run "sources_that_are_no_networks" {
  command = plan
  variables {
    allowed_ssh_sources = ["everybody"]
  }
  expect_failures = [var.allowed_ssh_sources]
}
