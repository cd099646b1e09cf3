# One regular machine, with nothing but what has to be said.

# Only plans: Terraform could not clean up after an apply, because of prevent_destroy. test/terraform/apply.test.ts
# applies, and checks what refers to what.
mock_provider "google" {}

variables {
  project_id          = "my-project-123"
  admin_ssh_keys      = { carol = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y carol@laptop" }
  allowed_ssh_sources = ["198.51.100.0/24"]
  release_url         = "https://downloads.example.org/containarium.tar.gz"
  release_sha256      = "0000000000000000000000000000000000000000000000000000000000000000"
}

run "a_machine_is_started_again_with_its_disk_and_address" {
  command = plan

  assert {
    condition     = one(one(google_compute_per_instance_config.server["containarium-jump"].preserved_state).disk).delete_rule == "NEVER"
    error_message = "the group never deletes the data disk"
  }
  assert {
    condition     = one(google_compute_instance_group_manager.server["containarium-jump"].update_policy).max_surge_fixed == 0
    error_message = "two machines never have one disk"
  }
  assert {
    condition     = one(google_compute_instance_group_manager.server["containarium-jump"].update_policy).type == "OPPORTUNISTIC"
    error_message = "an apply ends no session"
  }
}

run "the_machine_has_no_token_and_no_accounts_of_google" {
  command = plan

  assert {
    condition     = length(google_compute_instance_template.server["containarium-jump"].service_account) == 0
    error_message = "no service account"
  }
  assert {
    condition     = google_compute_instance_template.server["containarium-jump"].metadata["enable-oslogin"] == "FALSE"
    error_message = "OS Login is off"
  }
  assert {
    condition     = google_compute_instance_template.server["containarium-jump"].metadata["block-project-ssh-keys"] == "TRUE"
    error_message = "keys of the project open nothing"
  }
}

run "snapshots_are_attached" {
  command = plan

  assert {
    condition     = google_compute_disk_resource_policy_attachment.daily_snapshots["containarium-jump"].disk == google_compute_disk.data["containarium-jump"].name
    error_message = "the disk has the schedule"
  }
  assert {
    condition     = one(one(google_compute_resource_policy.daily_snapshots[0].snapshot_schedule_policy).retention_policy).max_retention_days == 30
    error_message = "30 days"
  }
}

run "only_the_networks_that_were_named_get_in" {
  command = plan

  assert {
    condition     = google_compute_firewall.ssh[0].source_ranges == toset(["198.51.100.0/24"])
    error_message = "ports 22 and 2222"
  }
  assert {
    condition     = length(google_compute_firewall.remote) == 0
    error_message = "port 50051 is closed"
  }
  assert {
    condition     = google_compute_firewall.health_check.source_ranges == toset(["35.191.0.0/16", "130.211.0.0/22"]) && one(google_compute_firewall.health_check.allow).ports == tolist(["2222"])
    error_message = "health checks come from Google alone"
  }
}
