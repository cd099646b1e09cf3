resource "google_compute_disk" "data" {
  for_each = local.servers

  name   = "${each.key}-data"
  type   = var.data_disk_type
  zone   = var.zone
  size   = var.data_disk_size
  labels = var.labels

  create_snapshot_before_destroy = true

  dynamic "disk_encryption_key" {
    for_each = compact([var.disk_encryption_key])
    content {
      kms_key_self_link = disk_encryption_key.value
    }
  }

  # It has all containers of its users. docs/deployment.md says how to remove one on purpose.
  lifecycle {
    prevent_destroy = true
  }
}

resource "google_compute_resource_policy" "daily_snapshots" {
  count = var.enable_disk_snapshots ? 1 : 0

  name   = "${var.instance_name}-daily"
  region = var.region

  snapshot_schedule_policy {
    schedule {
      daily_schedule {
        days_in_cycle = 1
        start_time    = format("%02d:00", var.snapshot_hour)
      }
    }

    retention_policy {
      max_retention_days    = var.snapshot_keep_days
      on_source_disk_delete = "KEEP_AUTO_SNAPSHOTS"
    }

    snapshot_properties {
      labels = var.labels
    }
  }
}

# Without this a schedule makes no snapshot.
resource "google_compute_disk_resource_policy_attachment" "daily_snapshots" {
  for_each = var.enable_disk_snapshots ? local.servers : toset([])

  name = google_compute_resource_policy.daily_snapshots[0].name
  disk = google_compute_disk.data[each.key].name
  zone = var.zone
}
