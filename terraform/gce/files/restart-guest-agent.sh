#!/bin/sh
# Has Google's guest agent read /etc/default/instance_configs.cfg. From version 20250901.00 on it is a plugin:
# https://cloud.google.com/compute/docs/images/manage-guest-agent
if command -v ggactl_plugin > /dev/null; then
  ggactl_plugin coreplugin restart
else
  systemctl try-restart google-guest-agent.service
fi
