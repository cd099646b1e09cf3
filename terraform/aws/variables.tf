# What you have to say.

variable "subnet_id" {
  description = "Public subnet of the machines. Its zone is that of the disks."
  type        = string

  validation {
    condition     = can(regex("^subnet-[0-9a-f]+$", var.subnet_id))
    error_message = "subnet_id is the ID of a subnet, for example subnet-0123456789abcdef0."
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
    condition     = alltrue([for each in var.allowed_ssh_sources : can(cidrhost(each, 0)) && !strcontains(each, ":")])
    error_message = "allowed_ssh_sources has IPv4 networks, for example 198.51.100.0/24."
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
  description = "Region of the subnet."
  type        = string
  default     = "us-east-1"
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
  description = "Instance type, of x86-64. Its name says how much memory it has, for the capacity."
  type        = string
  default     = "m6i.2xlarge"

  validation {
    condition     = can(regex("^([cmr][5-7][ai]?|t3a?)\\.(large|[248]?xlarge|1[26]xlarge|24xlarge)$", var.machine_type))
    error_message = "machine_type is one of the families c, m, r (5 to 7, a and i) or t3, from large on: for example m6i.2xlarge."
  }
}

variable "use_spot_instance" {
  description = "Whether machines are Spot instances: much cheaper, and AWS may take them away at any time. The group starts another."
  type        = bool
  default     = false
}

variable "ami_id" {
  description = "Image of the machines, with cloud-init. Null: the newest Ubuntu 24.04 when a plan is made."
  type        = string
  default     = null
}

variable "root_device_name" {
  description = "Root device of the image: /dev/sda1 on Ubuntu, /dev/xvda on Debian."
  type        = string
  default     = "/dev/sda1"
}

variable "boot_disk_size" {
  description = "Size of each boot disk in GB. It has the system only: a new machine gets a new one."
  type        = number
  default     = 30
}

variable "data_disk_size" {
  description = "Size of each data disk in GB. It has the pool with all containers."
  type        = number
  default     = 500
}

variable "data_disk_type" {
  description = "Type of the data disks."
  type        = string
  default     = "gp3"

  validation {
    condition     = contains(["gp2", "gp3"], var.data_disk_type)
    error_message = "data_disk_type is gp3 or gp2."
  }
}

variable "disk_encryption_key" {
  description = "ARN of a key of KMS for the disks. Empty: the key of the account. Disks are always encrypted."
  type        = string
  default     = ""
}

variable "enable_disk_snapshots" {
  description = "Whether each data disk has a snapshot every day."
  type        = bool
  default     = true
}

variable "snapshot_keep_days" {
  description = "How many daily snapshots are kept."
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

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = { managed_by = "terraform", project = "containarium" }
}

# The network.

variable "allowed_remote_sources" {
  description = "Networks that reach port 50051, the remote interface (docs/remote.md)."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for each in var.allowed_remote_sources : can(cidrhost(each, 0)) && !strcontains(each, ":")])
    error_message = "allowed_remote_sources has IPv4 networks, for example 198.51.100.0/24."
  }
}

variable "dns_zone_id" {
  description = "ID of a zone of Route 53 in which each server gets a name. Empty: users reach servers by address."
  type        = string
  default     = ""

  validation {
    condition     = (var.dns_zone_id == "") == (var.dns_zone_domain == "")
    error_message = "dns_zone_id and dns_zone_domain belong together: set both or neither."
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
  description = "Prices for output monthly_cost. The defaults are examples for us-east-1 with m6i.2xlarge and gp3: check them, https://aws.amazon.com/ec2/pricing/."
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
    machine_hour      = 0.384
    spot_machine_hour = 0.15
    data_disk_month   = 0.08
    boot_disk_month   = 0.08
    snapshot_month    = 0.05
    address_hour      = 0.005
  }
}
