# Rules of the language only: the rule sets of the clouds are plugins that have to be downloaded.
plugin "terraform" {
  enabled = true
  preset  = "all"
}
