locals {
  assumed_by = {
    for service in ["ec2", "dlm"] : service => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "${service}.amazonaws.com" }
      }]
    })
  }
}

# What a machine may do: attach its own volume to itself. Nothing else.
resource "aws_iam_role" "server" {
  for_each = local.servers

  name_prefix        = "${each.key}-"
  assume_role_policy = local.assumed_by.ec2
}

resource "aws_iam_role_policy" "attach_volume" {
  for_each = local.servers

  name = "attach-volume"
  role = aws_iam_role.server[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = "ec2:AttachVolume"
        Resource = aws_ebs_volume.data[each.key].arn
      },
      {
        Effect    = "Allow"
        Action    = "ec2:AttachVolume"
        Resource  = replace(aws_ebs_volume.data[each.key].arn, "/volume/.*$/", "instance/*")
        Condition = { StringEquals = { "ec2:ResourceTag/containarium_server" = each.key } }
      },
    ]
  })
}

resource "aws_iam_instance_profile" "server" {
  for_each = local.servers

  name_prefix = "${each.key}-"
  role        = aws_iam_role.server[each.key].name
}

# https://docs.aws.amazon.com/ebs/latest/userguide/dlm-prerequisites.html
resource "aws_iam_role" "snapshots" {
  count = var.enable_disk_snapshots ? 1 : 0

  name_prefix        = "${var.instance_name}-dlm-"
  assume_role_policy = local.assumed_by.dlm
}

resource "aws_iam_role_policy" "snapshots" {
  count = var.enable_disk_snapshots ? 1 : 0

  name = "snapshots"
  role = aws_iam_role.snapshots[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["ec2:CreateSnapshot", "ec2:CreateSnapshots", "ec2:DeleteSnapshot", "ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"]
        Resource = "*"
      },
      {
        Effect   = "Allow"
        Action   = "ec2:CreateTags"
        Resource = "arn:aws:ec2:*::snapshot/*"
      },
    ]
  })
}
