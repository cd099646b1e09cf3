output "server_names" {
  description = "Names of the servers. They follow from variables alone, so resources can be made for each."
  value       = local.server_names
}

output "user_data" {
  description = "cloud-init's user-data of each server, by name."
  value       = local.user_data
}

output "settings" {
  description = "containarium.yaml of each server, by name."
  value       = local.settings
}

output "inventory" {
  description = "Text of ~/.config/containarium/config.yaml, for --on."
  value       = yamlencode(local.inventory)
}

output "ssh_config_snippet" {
  description = "Lines of ~/.ssh/config for admins: ssh NAME list."
  value       = local.ssh_config
}

output "capacity" {
  description = "How many users fit, and on what that rests."
  value       = local.capacity

  precondition {
    condition     = var.expected_users == null || coalesce(var.expected_users, 0) <= local.estimated_users
    error_message = "${coalesce(var.expected_users, 0)} users do not fit: ${var.jump_server_count} × ${local.users_per_server} at ${var.memory_per_user_mib} MiB each. Use a larger machine_type, more servers (jump_server_count), or plan less memory for each (memory_per_user_mib)."
  }
}

output "monthly_cost" {
  description = "Cost of a month, from the prices that were given."
  value       = local.monthly_cost
}
