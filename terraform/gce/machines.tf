resource "google_compute_instance_template" "server" {
  for_each = local.servers

  name_prefix  = "${each.key}-"
  machine_type = var.machine_type
  labels       = var.labels
  tags         = [var.instance_name]

  metadata = {
    user-data                = module.jump_host.user_data[each.key]
    enable-oslogin           = "FALSE"
    block-project-ssh-keys   = "TRUE"
    serial-port-enable       = "FALSE"
    disable-legacy-endpoints = "TRUE"
  }

  disk {
    boot         = true
    auto_delete  = true
    source_image = var.os_image
    disk_type    = var.boot_disk_type
    disk_size_gb = var.boot_disk_size
    labels       = var.labels

    dynamic "disk_encryption_key" {
      for_each = compact([var.disk_encryption_key])
      content {
        kms_key_self_link = disk_encryption_key.value
      }
    }
  }

  network_interface {
    network    = var.subnetwork == null ? var.network : null
    subnetwork = var.subnetwork

    access_config {
      network_tier = "PREMIUM"
    }
  }

  # Without this block a machine has no service account, and its metadata service gives out no token.
  dynamic "service_account" {
    for_each = compact([var.service_account_email])
    content {
      email  = service_account.value
      scopes = []
    }
  }

  scheduling {
    provisioning_model          = var.use_spot_instance ? "SPOT" : "STANDARD"
    preemptible                 = var.use_spot_instance
    automatic_restart           = !var.use_spot_instance
    on_host_maintenance         = var.use_spot_instance ? "TERMINATE" : "MIGRATE"
    instance_termination_action = var.use_spot_instance ? "STOP" : null
  }

  # Secure Boot would refuse the module of ZFS that Debian builds on the machine.
  shielded_instance_config {
    enable_secure_boot          = false
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }

  lifecycle {
    create_before_destroy = true
  }
}

# A group of one starts its machine again, whatever stopped it: Google (Spot), a failure, or the health check.
resource "google_compute_instance_group_manager" "server" {
  for_each = local.servers

  name               = each.key
  base_instance_name = each.key
  zone               = var.zone
  # The machine joins with its disk and address, by google_compute_per_instance_config below, which makes this 1.
  target_size = 0

  version {
    instance_template = google_compute_instance_template.server[each.key].id
  }

  auto_healing_policies {
    health_check      = google_compute_health_check.containarium.id
    initial_delay_sec = var.health_check_delay_seconds
  }

  # A machine that is replaced for another reason gets the newest template too.
  instance_lifecycle_policy {
    default_action_on_failure = "REPAIR"
    force_update_on_repair    = "YES"
  }

  # One machine has the disk: the old one goes before the new one comes, under the same name.
  update_policy {
    type                           = var.apply_changes_at_once ? "PROACTIVE" : "OPPORTUNISTIC"
    minimal_action                 = "REPLACE"
    most_disruptive_allowed_action = "REPLACE"
    replacement_method             = "RECREATE"
    max_surge_fixed                = 0
    max_unavailable_fixed          = 1
  }

  lifecycle {
    ignore_changes = [target_size]
  }
}

# What a replacement of the machine keeps: name, data disk, address.
resource "google_compute_per_instance_config" "server" {
  for_each = local.servers

  name                       = each.key
  zone                       = var.zone
  instance_group_manager     = google_compute_instance_group_manager.server[each.key].name
  remove_instance_on_destroy = true

  preserved_state {
    disk {
      device_name = local.data_disk_name
      source      = google_compute_disk.data[each.key].id
      mode        = "READ_WRITE"
      delete_rule = "NEVER"
    }

    external_ip {
      interface_name = "nic0"
      auto_delete    = "NEVER"

      ip_address {
        address = google_compute_address.server[each.key].self_link
      }
    }
  }
}

resource "google_compute_health_check" "containarium" {
  name                = "${var.instance_name}-2222"
  description         = "The SSH server of containarium answers"
  check_interval_sec  = 30
  timeout_sec         = 10
  healthy_threshold   = 1
  unhealthy_threshold = 10

  tcp_health_check {
    port = 2222
  }
}
