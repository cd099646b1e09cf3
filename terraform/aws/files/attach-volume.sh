#!/bin/bash
# Attaches the EBS volume of this server to this machine. Runs as root before the installation (attach-disk).
#
# The machine's role may attach this volume only, and detach none: AWS refuses until the machine before this one is gone,
# so two machines never write to one disk. It needs curl alone, whose --aws-sigv4 signs the request; the AWS command line
# is in the packages of Debian but not of Ubuntu 24.04.
set -euo pipefail

volume=VOLUME_OF_THIS_SERVER
metadata=${ATTACH_METADATA:-http://169.254.169.254/latest}
patience=${ATTACH_PATIENCE:-900}
pause=${ATTACH_PAUSE:-5}

# IMDSv2: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
token=$(curl --fail --silent --show-error --max-time 10 --retry 10 --retry-connrefused --retry-delay 2 \
  --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 3600' "$metadata/api/token")
ask() { curl --fail --silent --show-error --max-time 10 --retry 10 --retry-delay 2 --header @- "$metadata/meta-data/$1" <<< "X-aws-ec2-metadata-token: $token"; }

instance=$(ask instance-id)
region=$(ask placement/region)
endpoint=${ATTACH_ENDPOINT:-https://ec2.$region.$(ask services/domain)}
role=$(ask iam/security-credentials/)

# Prints the configuration of curl with this role's credentials, so that they are in no command line.
credentials() {
  local document
  document=$(ask "iam/security-credentials/$role")
  field() { sed -n "s/^ *\"$1\" *: *\"\([^\"]*\)\".*/\1/p" <<< "$document"; }
  printf 'user = "%s:%s"\nheader = "X-Amz-Security-Token: %s"\n' \
    "$(field AccessKeyId)" "$(field SecretAccessKey)" "$(field Token)"
}

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachVolume.html
attach() {
  credentials | curl --config - --silent --show-error --max-time 60 --aws-sigv4 "aws:amz:$region:ec2" \
    --write-out '\n%{http_code}\n' \
    --data "Action=AttachVolume&Version=2016-11-15&VolumeId=$volume&InstanceId=$instance&Device=/dev/sdf" "$endpoint/"
}

waited=0
until answer=$(attach) && [ "$(tail -n 1 <<< "$answer")" = 200 ]; do
  why=$(sed -n 's/.*<Message>\([^<]*\)<.*/\1/p' <<< "${answer:-}")
  if [ "$waited" -ge "$patience" ]; then
    printf 'attach-disk: %s was not attached within %s s: %s\n' "$volume" "$patience" "${why:-EC2 did not answer}" >&2
    exit 1
  fi
  printf 'attach-disk: trying again: %s\n' "${why:-EC2 did not answer}"
  sleep "$pause"
  waited=$((waited + pause))
done
printf 'attach-disk: %s is attached\n' "$volume"
