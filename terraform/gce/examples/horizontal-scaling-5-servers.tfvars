# Five Spot machines for 250 users: a large team. Each user has a home server.
#
# Say these five things; Terraform asks for those that are missing.
#
# project_id          = "my-project-123"
# admin_ssh_keys      = { carol = "ssh-ed25519 AAAA… carol@laptop" }
# allowed_ssh_sources = ["198.51.100.0/24"]
# release_url         = "https://downloads.example.org/containarium-0.5.0-linux-x64.tar.gz"
# release_sha256      = "…"

machine_type      = "n2-standard-8"
use_spot_instance = true
jump_server_count = 5
expected_users    = 250
