locals {
  # Where Google's health checks come from: https://cloud.google.com/load-balancing/docs/health-check-concepts
  health_check_networks = ["35.191.0.0/16", "130.211.0.0/22"]
}

resource "google_compute_address" "server" {
  for_each = local.servers

  name         = each.key
  region       = var.region
  address_type = "EXTERNAL"
  network_tier = "PREMIUM"
}

resource "google_compute_firewall" "ssh" {
  count = length(var.allowed_ssh_sources) > 0 ? 1 : 0

  name          = "${var.instance_name}-ssh"
  description   = "Users (22), admins and self service (2222)"
  network       = var.network
  direction     = "INGRESS"
  source_ranges = var.allowed_ssh_sources
  target_tags   = [var.instance_name]

  allow {
    protocol = "tcp"
    ports    = ["22", "2222"]
  }
}

resource "google_compute_firewall" "remote" {
  count = length(var.allowed_remote_sources) > 0 ? 1 : 0

  name          = "${var.instance_name}-remote"
  description   = "The remote interface of containarium"
  network       = var.network
  direction     = "INGRESS"
  source_ranges = var.allowed_remote_sources
  target_tags   = [var.instance_name]

  allow {
    protocol = "tcp"
    ports    = ["50051"]
  }
}

resource "google_compute_firewall" "health_check" {
  name          = "${var.instance_name}-health"
  description   = "Google's health checks, which connect and send nothing"
  network       = var.network
  direction     = "INGRESS"
  source_ranges = local.health_check_networks
  target_tags   = [var.instance_name]

  allow {
    protocol = "tcp"
    ports    = ["2222"]
  }
}

resource "google_dns_record_set" "server" {
  for_each = local.dns_names

  name         = "${each.value}."
  type         = "A"
  ttl          = 300
  managed_zone = var.dns_zone_name
  rrdatas      = [google_compute_address.server[each.key].address]
}
