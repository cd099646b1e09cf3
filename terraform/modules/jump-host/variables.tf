variable "instance_name" {
  description = "Name of the first server. More servers are called NAME-2, NAME-3 and so on, so growing renames none."
  type        = string
  default     = "containarium-jump"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", var.instance_name))
    error_message = "instance_name needs 1 to 30 lowercase letters, digits and hyphens, and begins with a letter."
  }
}

variable "jump_server_count" {
  description = "Number of servers. Each has its own users, disk and address."
  type        = number
  default     = 1

  validation {
    condition     = var.jump_server_count == floor(var.jump_server_count) && var.jump_server_count >= 1 && var.jump_server_count <= 10
    error_message = "jump_server_count is a whole number from 1 to 10."
  }
}

variable "enable_load_balancer" {
  description = "Must stay false: see its error message."
  type        = bool
  default     = false

  validation {
    condition     = !var.enable_load_balancer
    error_message = "Each user has one home server. A load balancer in front of independent servers sends people to a server that does not have their container. Give users the name of their home server (output ssh_config_snippet) and list all servers with --on all (output inventory). A balancer makes sense once servers form a cluster."
  }
}

variable "admin_ssh_keys" {
  description = "Public keys of each admin, by name: one key a line, as in authorized_keys."
  type        = map(string)

  validation {
    condition     = length(var.admin_ssh_keys) > 0
    error_message = "admin_ssh_keys needs at least one admin, for example { carol = file(\"carol.pub\") }."
  }
  validation {
    condition = alltrue([
      for name in keys(var.admin_ssh_keys) :
      can(regex("^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$", name)) && !startswith(name, "systemd-") && !contains(split("\n", file("${path.module}/files/reserved-names.txt")), name)
    ])
    error_message = "A name in admin_ssh_keys has 1 to 32 lowercase letters, digits and hyphens, begins with a letter, and is no name that the system or its packages use (files/reserved-names.txt)."
  }
  validation {
    condition = alltrue(flatten([
      for keys in values(var.admin_ssh_keys) : concat(
        [length(compact([for line in split("\n", keys) : trimspace(line)])) > 0],
        [
          for line in compact([for line in split("\n", keys) : trimspace(line)]) :
          can(regex("^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\\.com|sk-ecdsa-sha2-nistp256@openssh\\.com) [A-Za-z0-9+/]+={0,3}( [^[:cntrl:]]*)?$", line))
        ],
      )
    ]))
    error_message = "Each value in admin_ssh_keys has public keys, one a line, for example \"ssh-ed25519 AAAA… carol@laptop\". Options before a key are not supported here: add them with \"admin add\"."
  }
}

variable "host_accounts" {
  description = "Whether each admin also gets an account with sudo on the machine itself (port 22), for repairs."
  type        = bool
  default     = true
}

variable "hostnames" {
  description = "Name or address by which users reach each server, by server name (output server_names)."
  type        = map(string)
}

variable "data_disk_devices" {
  description = "Path below /dev/disk/by-id of the data disk of each server, by server name."
  type        = map(string)
}

variable "disk_wait_seconds" {
  description = "How long a machine waits for its data disk before it reports a failure and tries again."
  type        = number
  default     = 600
}

variable "release_url" {
  description = "Where a machine gets the release archive (npm run release): https, http or file."
  type        = string

  validation {
    condition     = can(regex("^(https?|file)://[^[:space:]'\"\\\\$`]+$", var.release_url))
    error_message = "release_url is an address such as https://downloads.example.org/containarium-0.5.0-linux-x64.tar.gz."
  }
}

variable "release_sha256" {
  description = "SHA-256 of the release archive, from its SHA256SUMS. A machine runs nothing else."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.release_sha256))
    error_message = "release_sha256 has 64 hexadecimal digits, as in SHA256SUMS of the release."
  }
}

variable "settings" {
  description = "Text of containarium.yaml (docs/configuration.md), beside jump.hostname. It is readable in the state and in the machine's metadata: no secrets; backups.s3.credentialsFile names a file instead."
  type        = string
  default     = ""

  validation {
    condition     = can(merge({}, try(yamldecode(var.settings), yamldecode("---\n${var.settings}"))))
    error_message = "settings is YAML with keys at the top level, as docs/configuration.md describes it."
  }
}

variable "exempt_networks" {
  description = "Networks whose connections to port 2222 are no failed logins: those of health checks."
  type        = list(string)
  default     = []
}

variable "attach_scripts" {
  description = "Script that makes the data disk appear, by server name, for clouds where the machine does this itself."
  type        = map(string)
  default     = {}
}

variable "extra_files" {
  description = "More files for each machine: what a cloud's image needs."
  type        = list(object({ path = string, content = string, permissions = optional(string, "0644") }))
  default     = []
}

variable "extra_commands" {
  description = "Commands that run before the installation, as lists of words."
  type        = list(list(string))
  default     = []
}

# What capacity and cost are computed from.

variable "memory_gib" {
  description = "Memory of one machine in GiB."
  type        = number
}

variable "data_disk_size" {
  description = "Size of each data disk in GB."
  type        = number
  default     = 500

  validation {
    condition     = var.data_disk_size == floor(var.data_disk_size) && var.data_disk_size >= 20 && var.data_disk_size <= 10000
    error_message = "data_disk_size is a whole number of GB from 20 to 10000."
  }
}

variable "boot_disk_size" {
  description = "Size of each boot disk in GB. It has the system only: a new machine gets a new one."
  type        = number
  default     = 30

  validation {
    condition     = var.boot_disk_size == floor(var.boot_disk_size) && var.boot_disk_size >= 20 && var.boot_disk_size <= 2000
    error_message = "boot_disk_size is a whole number of GB from 20 to 2000."
  }
}

variable "memory_per_user_mib" {
  description = "Memory that one user's container is expected to use, in MiB. It plans capacity and limits nothing."
  type        = number
  default     = 512

  validation {
    condition     = var.memory_per_user_mib >= 64
    error_message = "memory_per_user_mib is at least 64."
  }
}

variable "expected_users" {
  description = "Number of users that the servers are for, together. A plan fails if they do not fit. Null: not checked."
  type        = number
  default     = null
}

variable "use_spot_instance" {
  description = "Whether machines may be taken away at any time, for a lower price."
  type        = bool
  default     = false
}

variable "enable_disk_snapshots" {
  description = "Whether the cloud makes a snapshot of each data disk every day."
  type        = bool
  default     = true
}

variable "prices" {
  description = "Prices of your cloud and region: per hour for machines and addresses, per GB and month for disks and snapshots."
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

  validation {
    condition     = alltrue([for name, price in var.prices : contains(["currency", "as_of"], name) || try(tonumber(price) >= 0, false)])
    error_message = "A price is not negative."
  }
}

variable "hours_per_month" {
  description = "Hours of a month in the cost table: 8760 / 12."
  type        = number
  default     = 730
}

variable "snapshot_share" {
  description = "Size of all kept snapshots of a disk, as a share of the disk. They are incremental: it depends on how much changes."
  type        = number
  default     = 0.5
}
