resource "aws_ebs_volume" "data" {
  for_each = local.servers

  availability_zone = data.aws_subnet.servers.availability_zone
  type              = var.data_disk_type
  size              = var.data_disk_size
  encrypted         = true
  kms_key_id        = var.disk_encryption_key == "" ? null : var.disk_encryption_key
  final_snapshot    = true
  tags              = { Name = "${each.key}-data", containarium_data = var.instance_name }

  # It has all containers of its users. docs/deployment.md says how to remove one on purpose.
  lifecycle {
    prevent_destroy = true
  }
}

# Every data disk has the tag that this policy looks for.
resource "aws_dlm_lifecycle_policy" "daily_snapshots" {
  count = var.enable_disk_snapshots ? 1 : 0

  description        = "${var.instance_name}: daily snapshots of the data disks"
  execution_role_arn = aws_iam_role.snapshots[0].arn
  state              = "ENABLED"

  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { containarium_data = var.instance_name }

    schedule {
      name      = "daily"
      copy_tags = true

      create_rule {
        interval      = 24
        interval_unit = "HOURS"
        times         = [format("%02d:00", var.snapshot_hour)]
      }

      retain_rule {
        count = var.snapshot_keep_days
      }
    }
  }
}
