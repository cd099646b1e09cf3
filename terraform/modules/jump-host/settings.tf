# containarium.yaml of each server: the text of `settings`, with what only Terraform knows.
locals {
  # A text of comments alone is no document for yamldecode until one begins.
  given_settings = merge({}, try(yamldecode(var.settings), yamldecode("---\n${var.settings}")))
  given_ssh      = try(local.given_settings.ssh, {})
  given_exempt   = try(local.given_ssh.penalties.exempt, [])

  exempt = distinct(concat(local.given_exempt, var.exempt_networks))

  settings = {
    for name, server in local.servers : name => yamlencode(merge(
      local.given_settings,
      { jump = merge(try(local.given_settings.jump, {}), { hostname = server.hostname }) },
      {
        for key in length(local.exempt) == 0 ? [] : ["ssh"] :
        key => merge(local.given_ssh, { penalties = merge(try(local.given_ssh.penalties, {}), { exempt = local.exempt }) })
      },
    ))
  }
}
