locals {
  first = var.instance_name
}

output "jump_server_ip" {
  description = "Address of the first server."
  value       = google_compute_address.server[local.first].address
}

output "jump_server_name" {
  description = "Name of the first server, its group and its machine."
  value       = local.first
}

output "jump_server_zone" {
  description = "Zone of all servers."
  value       = var.zone
}

output "jump_servers_count" {
  description = "Number of servers."
  value       = var.jump_server_count
}

output "jump_servers_ips" {
  description = "Address of each server, by name."
  value       = { for name in local.servers : name => google_compute_address.server[name].address }
}

output "ssh_command" {
  description = "What an admin types to reach the first server."
  value       = "ssh -p 2222 manage@${local.hostnames[local.first]}"
}

output "host_ssh_command" {
  description = "What an admin types for a shell on the first machine itself. Null without host_accounts."
  value       = var.host_accounts ? "ssh ${keys(var.admin_ssh_keys)[0]}@${local.hostnames[local.first]}" : null
}

output "ssh_config_snippet" {
  description = "Lines of ~/.ssh/config for admins: ssh NAME list."
  value       = module.jump_host.ssh_config_snippet
}

output "remote_endpoints" {
  description = "Address of the remote interface of each server, by name."
  value       = { for name, host in local.hostnames : name => "${host}:50051" }
}

output "inventory" {
  description = "Text of ~/.config/containarium/config.yaml: containarium list --on all."
  value       = module.jump_host.inventory
}

output "capacity_info" {
  description = "How many users fit, and on what that rests."
  value       = merge(module.jump_host.capacity, { machine_type = var.machine_type })
}

output "monthly_cost" {
  description = "Cost of a month, from the variable prices."
  value       = module.jump_host.monthly_cost
}

output "gcp_console_url" {
  description = "The groups of machines in Google's console."
  value       = "https://console.cloud.google.com/compute/instanceGroups/list?project=${var.project_id}"
}

output "next_steps" {
  description = "What to do after an apply."
  value       = <<-EOT
    A new machine installs itself, which takes some minutes. Then:
      ssh -p 2222 manage@${local.hostnames[local.first]} doctor
      ssh -p 2222 manage@${local.hostnames[local.first]} create alice < alice.pub
    What it does meanwhile, on the machine itself: journalctl -u containarium-boot
  EOT
}
