# No provider: everything here is computed, so it can be tested and planned without a cloud.
terraform {
  required_version = ">= 1.9.0"
}
