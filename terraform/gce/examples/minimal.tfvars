# The smallest machine that is useful, for a try with a few users.
#
# Say these five things; Terraform asks for those that are missing.
#
# project_id          = "my-project-123"
# admin_ssh_keys      = { carol = "ssh-ed25519 AAAA… carol@laptop" }
# allowed_ssh_sources = ["198.51.100.0/24"]
# release_url         = "https://downloads.example.org/containarium-0.5.0-linux-x64.tar.gz"
# release_sha256      = "…"

machine_type          = "e2-standard-2"
use_spot_instance     = true
data_disk_size        = 50
enable_disk_snapshots = false
expected_users        = 10

# The default prices are those of n2-standard-8. Examples for us-central1, 2025-06: check them.
prices = {
  currency          = "USD"
  as_of             = "2025-06, an example"
  machine_hour      = 0.067006
  spot_machine_hour = 0.0268
  data_disk_month   = 0.10
  boot_disk_month   = 0.10
  snapshot_month    = 0.05
  address_hour      = 0.005
}
