# What you have to say.

variable "project_id" {
  description = "The project of Google Cloud."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is the ID of a project, for example my-project-123."
  }
}

variable "admin_ssh_keys" {
  description = "Public keys of each admin, by name: one key a line, as in authorized_keys."
  type        = map(string)
}

variable "allowed_ssh_sources" {
  description = "Networks that reach ports 22 (users) and 2222 (admins, self service). There is no default: [\"0.0.0.0/0\"] opens both to the world, [] opens neither."
  type        = list(string)

  validation {
    condition     = alltrue([for each in var.allowed_ssh_sources : can(cidrhost(each, 0))])
    error_message = "allowed_ssh_sources has networks, for example 198.51.100.0/24."
  }
}

variable "release_url" {
  description = "Where a machine gets the release archive (npm run release): an address that the machine can read."
  type        = string
}

variable "release_sha256" {
  description = "SHA-256 of the release archive, from its SHA256SUMS."
  type        = string
}

# Where and how many.

variable "region" {
  description = "Region of the addresses and snapshots."
  type        = string
  default     = "us-central1"
}

variable "zone" {
  description = "Zone of the machines and disks, in the region."
  type        = string
  default     = "us-central1-a"

  validation {
    condition     = startswith(var.zone, "${var.region}-")
    error_message = "zone is one of the region, for example us-central1-a in us-central1."
  }
}

variable "instance_name" {
  description = "Name of the first server. More servers are called NAME-2, NAME-3 and so on."
  type        = string
  default     = "containarium-jump"
}

variable "jump_server_count" {
  description = "Number of servers. Each has its own users, disk and address."
  type        = number
  default     = 1
}

variable "enable_load_balancer" {
  description = "Must stay false: each user has one home server."
  type        = bool
  default     = false
}

variable "expected_users" {
  description = "Number of users that the servers are for, together. A plan fails if they do not fit."
  type        = number
  default     = null
}

variable "memory_per_user_mib" {
  description = "Memory that one user's container is expected to use, in MiB."
  type        = number
  default     = 512
}

# The machines.

variable "machine_type" {
  description = "Machine type. Its name says how much memory it has, for the capacity."
  type        = string
  default     = "n2-standard-8"

  validation {
    condition     = can(regex("^(e2|n1|n2|n2d|n4|c3|c3d|c4)-(standard|highmem|highcpu)-[0-9]+$", var.machine_type))
    error_message = "machine_type is FAMILY-KIND-CPUS: e2, n1, n2, n2d, n4, c3, c3d or c4; standard, highmem or highcpu; for example n2-standard-8."
  }
}

variable "use_spot_instance" {
  description = "Whether machines are Spot VMs: much cheaper, and Google may stop them at any time. The group starts them again."
  type        = bool
  default     = false
}

variable "os_image" {
  description = "Image of the machines. It needs cloud-init, which Google's Debian images do not have."
  type        = string
  default     = "ubuntu-os-cloud/ubuntu-2404-lts-amd64"

  validation {
    condition     = !startswith(var.os_image, "debian-cloud/")
    error_message = "Google's Debian images have no cloud-init. Use ubuntu-os-cloud/ubuntu-2404-lts-amd64, or an image of your own with cloud-init."
  }
}

variable "boot_disk_size" {
  description = "Size of each boot disk in GB. It has the system only: a new machine gets a new one."
  type        = number
  default     = 30
}

variable "boot_disk_type" {
  description = "Type of the boot disks."
  type        = string
  default     = "pd-balanced"

  validation {
    condition     = contains(["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"], var.boot_disk_type)
    error_message = "boot_disk_type is pd-standard, pd-balanced, pd-ssd or hyperdisk-balanced."
  }
  validation {
    condition     = !can(regex("^(n4|c4)-", var.machine_type)) || var.boot_disk_type == "hyperdisk-balanced"
    error_message = "Machines of the families n4 and c4 have no persistent disks: boot_disk_type is hyperdisk-balanced."
  }
}

variable "data_disk_size" {
  description = "Size of each data disk in GB. It has the pool with all containers."
  type        = number
  default     = 500
}

variable "data_disk_type" {
  description = "Type of the data disks."
  type        = string
  default     = "pd-balanced"

  validation {
    condition     = contains(["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"], var.data_disk_type)
    error_message = "data_disk_type is pd-standard, pd-balanced, pd-ssd or hyperdisk-balanced."
  }
  validation {
    condition     = !can(regex("^(n4|c4)-", var.machine_type)) || var.data_disk_type == "hyperdisk-balanced"
    error_message = "Machines of the families n4 and c4 have no persistent disks: data_disk_type is hyperdisk-balanced."
  }
}

variable "disk_encryption_key" {
  description = "Self link of a key of Cloud KMS for all disks. Empty: Google's own keys."
  type        = string
  default     = ""
}

variable "enable_disk_snapshots" {
  description = "Whether each data disk has a snapshot every day."
  type        = bool
  default     = true
}

variable "snapshot_keep_days" {
  description = "How many days a snapshot is kept."
  type        = number
  default     = 30

  validation {
    condition     = var.snapshot_keep_days >= 1 && var.snapshot_keep_days <= 365
    error_message = "snapshot_keep_days is 1 to 365."
  }
}

variable "snapshot_hour" {
  description = "Hour (UTC) in which the snapshots begin."
  type        = number
  default     = 3

  validation {
    condition     = contains(range(24), var.snapshot_hour)
    error_message = "snapshot_hour is a whole number from 0 to 23."
  }
}

variable "apply_changes_at_once" {
  description = "Whether a change of the machine (type, image, user-data) replaces running machines, which ends all sessions. Otherwise it waits for the next replacement."
  type        = bool
  default     = false
}

variable "health_check_delay_seconds" {
  description = "How long a new machine may take to answer on port 2222 before it counts as broken and is replaced."
  type        = number
  default     = 1800

  validation {
    condition     = var.health_check_delay_seconds >= 300 && var.health_check_delay_seconds <= 3600
    error_message = "health_check_delay_seconds is 300 to 3600: an installation takes minutes."
  }
}

variable "labels" {
  description = "Labels of all resources that have some."
  type        = map(string)
  default     = { managed_by = "terraform", project = "containarium" }
}

variable "service_account_email" {
  description = "Service account of the machines, which gets no scopes. Null: none, so a machine has no token at all."
  type        = string
  default     = null
}

# The network.

variable "network" {
  description = "Name or self link of the network."
  type        = string
  default     = "default"
}

variable "subnetwork" {
  description = "Name or self link of the subnetwork. Null: the one of the region, in a network that has one in each."
  type        = string
  default     = null
}

variable "allowed_remote_sources" {
  description = "Networks that reach port 50051, the remote interface (docs/remote.md)."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for each in var.allowed_remote_sources : can(cidrhost(each, 0))])
    error_message = "allowed_remote_sources has networks, for example 198.51.100.0/24."
  }
}

variable "dns_zone_name" {
  description = "Name of a zone of Cloud DNS in which each server gets a name. Empty: users reach servers by address."
  type        = string
  default     = ""

  validation {
    condition     = (var.dns_zone_name == "") == (var.dns_zone_domain == "")
    error_message = "dns_zone_name and dns_zone_domain belong together: set both or neither."
  }
}

variable "dns_zone_domain" {
  description = "Domain of that zone, for example example.org: the servers are jump.example.org, jump-2.example.org and so on."
  type        = string
  default     = ""

  validation {
    condition     = var.dns_zone_domain == "" || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}\\.?$", var.dns_zone_domain))
    error_message = "dns_zone_domain is a domain, for example example.org."
  }
}

# What runs on them.

variable "settings" {
  description = "Text of containarium.yaml (docs/configuration.md), without secrets."
  type        = string
  default     = ""
}

variable "host_accounts" {
  description = "Whether each admin also gets an account with sudo on the machine itself (port 22), for repairs."
  type        = bool
  default     = true
}

variable "prices" {
  description = "Prices for output monthly_cost. The defaults are examples for us-central1 with n2-standard-8 and pd-balanced: check them, https://cloud.google.com/compute/all-pricing."
  type = object({
    currency          = string
    as_of             = string
    machine_hour      = number
    spot_machine_hour = number
    data_disk_month   = number
    boot_disk_month   = number
    snapshot_month    = number
    address_hour      = number
  })
  default = {
    currency          = "USD"
    as_of             = "2025-06, an example"
    machine_hour      = 0.388472
    spot_machine_hour = 0.0932
    data_disk_month   = 0.10
    boot_disk_month   = 0.10
    snapshot_month    = 0.05
    address_hour      = 0.005
  }
}
