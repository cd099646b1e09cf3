# The interface outlives the machines, and keeps the address.
resource "aws_network_interface" "server" {
  for_each = local.servers

  description     = "${each.key}: taken over by each machine of the group"
  subnet_id       = var.subnet_id
  security_groups = [aws_security_group.servers.id]
  tags            = { Name = each.key }
}

resource "aws_eip" "server" {
  for_each = local.servers

  domain            = "vpc"
  network_interface = aws_network_interface.server[each.key].id
  tags              = { Name = each.key }
}

resource "aws_security_group" "servers" {
  name_prefix = "${var.instance_name}-"
  description = "Jump hosts of containarium"
  vpc_id      = data.aws_subnet.servers.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  for_each = { for each in setproduct(var.allowed_ssh_sources, [22, 2222]) : "${each[0]} ${each[1]}" => each }

  security_group_id = aws_security_group.servers.id
  description       = each.value[1] == 22 ? "Users" : "Admins and self service"
  cidr_ipv4         = each.value[0]
  ip_protocol       = "tcp"
  from_port         = each.value[1]
  to_port           = each.value[1]
}

resource "aws_vpc_security_group_ingress_rule" "remote" {
  for_each = toset(var.allowed_remote_sources)

  security_group_id = aws_security_group.servers.id
  description       = "The remote interface of containarium"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 50051
  to_port           = 50051
}

# Containers install packages, and backups go to a bucket.
resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.servers.id
  description       = "Everything"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_route53_record" "server" {
  for_each = local.dns_names

  zone_id = var.dns_zone_id
  name    = each.value
  type    = "A"
  ttl     = 300
  records = [aws_eip.server[each.key].public_ip]
}
