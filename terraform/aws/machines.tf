data "aws_subnet" "servers" {
  id = var.subnet_id
}

# https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/
data "aws_ssm_parameter" "ubuntu" {
  count = var.ami_id == null ? 1 : 0
  name  = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
}

resource "aws_launch_template" "server" {
  for_each = local.servers

  name_prefix            = "${each.key}-"
  image_id               = var.ami_id == null ? data.aws_ssm_parameter.ubuntu[0].insecure_value : var.ami_id
  instance_type          = var.machine_type
  user_data              = base64gzip(module.jump_host.user_data[each.key])
  update_default_version = true

  iam_instance_profile {
    arn = aws_iam_instance_profile.server[each.key].arn
  }

  # The machine takes over the interface, and with it the address. A group with this has one machine in one zone:
  # https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html (AvailabilityZones)
  network_interfaces {
    device_index          = 0
    network_interface_id  = aws_network_interface.server[each.key].id
    delete_on_termination = false
  }

  block_device_mappings {
    device_name = var.root_device_name

    ebs {
      volume_size           = var.boot_disk_size
      volume_type           = "gp3"
      encrypted             = true
      kms_key_id            = var.disk_encryption_key == "" ? null : var.disk_encryption_key
      delete_on_termination = true
    }
  }

  # IMDSv2 only, and its answers do not get past this machine: containers reach no metadata.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "disabled"
  }

  dynamic "instance_market_options" {
    for_each = var.use_spot_instance ? ["spot"] : []
    content {
      market_type = instance_market_options.value
    }
  }

  dynamic "tag_specifications" {
    for_each = ["instance", "volume"]
    content {
      resource_type = tag_specifications.value
      tags          = merge(var.tags, { Name = each.key, containarium_server = each.key })
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

# A group of one starts another machine, whatever ended the one before: AWS (Spot), or a failure.
resource "aws_autoscaling_group" "server" {
  for_each = local.servers

  name                      = each.key
  min_size                  = 1
  max_size                  = 1
  desired_capacity          = 1
  availability_zones        = [data.aws_subnet.servers.availability_zone]
  health_check_type         = "EC2"
  health_check_grace_period = 600
  wait_for_capacity_timeout = "0"

  launch_template {
    id      = aws_launch_template.server[each.key].id
    version = aws_launch_template.server[each.key].latest_version
  }

  # One machine has the disk and the interface: the old one goes before the new one comes.
  dynamic "instance_refresh" {
    for_each = var.apply_changes_at_once ? ["Rolling"] : []
    content {
      strategy = instance_refresh.value
      preferences {
        min_healthy_percentage = 0
        max_healthy_percentage = 100
      }
    }
  }

  tag {
    key                 = "Name"
    value               = each.key
    propagate_at_launch = false
  }

  # A machine that starts before these are there could not attach its disk.
  depends_on = [aws_iam_role_policy.attach_volume, aws_eip.server]
}
