# The smallest machine that is useful, for a try with a few users.
#
# Say these five things; Terraform asks for those that are missing.
#
# subnet_id           = "subnet-0123456789abcdef0"
# admin_ssh_keys      = { carol = "ssh-ed25519 AAAA… carol@laptop" }
# allowed_ssh_sources = ["198.51.100.0/24"]
# release_url         = "https://downloads.example.org/containarium-0.5.0-linux-x64.tar.gz"
# release_sha256      = "…"

machine_type          = "t3.large"
use_spot_instance     = true
data_disk_size        = 50
enable_disk_snapshots = false
expected_users        = 10

# The default prices are those of m6i.2xlarge. Examples for us-east-1, 2025-06: check them.
prices = {
  currency          = "USD"
  as_of             = "2025-06, an example"
  machine_hour      = 0.0832
  spot_machine_hour = 0.0333
  data_disk_month   = 0.08
  boot_disk_month   = 0.08
  snapshot_month    = 0.05
  address_hour      = 0.005
}
