/**
 * `containarium completion bash|zsh|fish`: scripts for the shells of people. They complete verbs, flags and live names
 * for the client, for `sudo containarium` on the host, and for `ssh -p 2222 manage@jump …`.
 */
import { Failure } from '../domain/failure.ts';
import { own } from '../domain/own.ts';
import { quoted } from '../domain/text.ts';

/** The word before the words to complete. No verb begins with an underscore. */
export const completeCommand = '__complete';

const bash = `# Completion of containarium for bash. Load it: source <(containarium completion bash)
# bash splits words at "@", ":" and "=" too, so the words are taken from the line as it is.
_containarium_split() {
  local line="\${COMP_LINE:0:COMP_POINT}"
  read -ra _containarium_words <<<"$line"
  [[ "$line" == *[[:space:]] ]] && _containarium_words+=("")
  _containarium_words=("\${_containarium_words[@]/#\~\//$HOME/}")
}
# What replaces the last word must begin where bash has split it.
_containarium_reply() {
  local line word="\${_containarium_words[-1]}" part="\${COMP_WORDS[COMP_CWORD]}"
  local kept="\${word%"$part"}"
  [[ "$part" == [=:@] ]] && kept="$word"
  COMPREPLY=()
  while IFS= read -r line; do
    line="\${line%%$'\t'*}"
    COMPREPLY+=("\${line#"$kept"}")
  done
  compopt -o nosort 2>/dev/null
}
_containarium() {
  local -a _containarium_words=() own=() words=()
  local at
  _containarium_split
  local last=$((\${#_containarium_words[@]} - 1))
  for ((at = 1; at <= last; at++)); do
    case "\${_containarium_words[at]}" in
    --server | --certs-dir | --on)
      if ((at + 1 < last)); then own+=("\${_containarium_words[at]}" "\${_containarium_words[++at]}"); else words+=("\${_containarium_words[at]}"); fi
      ;;
    *) words+=("\${_containarium_words[at]}") ;;
    esac
  done
  _containarium_reply < <(containarium __complete "\${own[@]}" "\${words[@]}" 2>/dev/null)
}
complete -o default -F _containarium containarium
_containarium_sudo() {
  local -a _containarium_words=()
  _containarium_split
  if [[ "\${_containarium_words[1]}" == containarium && \${#_containarium_words[@]} -gt 2 ]]; then
    _containarium_reply < <(sudo -n containarium __complete "\${_containarium_words[@]:2}" 2>/dev/null)
  else
    declare -F _sudo >/dev/null && _sudo "$@"
  fi
}
complete -o default -F _containarium_sudo sudo
_containarium_ssh() {
  local -a _containarium_words=()
  local at
  _containarium_split
  for ((at = 1; at < \${#_containarium_words[@]} - 1; at++)); do
    case "\${_containarium_words[at]}" in
    manage@* | self@*)
      _containarium_reply < <(ssh -o BatchMode=yes "\${_containarium_words[@]:1:at}" __complete "$(printf '%q ' "\${_containarium_words[@]:at+1}")" 2>/dev/null </dev/null)
      return
      ;;
    esac
  done
  declare -F _ssh >/dev/null && _ssh "$@"
}
complete -o default -F _containarium_ssh ssh
`;

const zsh = `#compdef containarium
# Completion of containarium for zsh. Load it: source <(containarium completion zsh)
_containarium_show() {
  local line
  local -a values
  while IFS= read -r line; do
    values+=("\${\${line%%$'\t'*}//:/\\\\:}\${\${line#*$'\t'}:+:\${line#*$'\t'}}")
  done
  _describe -V 'containarium' values
}
_containarium() {
  local -a remote rest
  local at
  for ((at = 2; at <= CURRENT; at++)); do
    case "\${words[at]}" in
    --server | --certs-dir | --on)
      if ((at + 1 < CURRENT)); then remote+=("\${words[at]}" "\${words[++at]}"); else rest+=("\${words[at]}"); fi
      ;;
    *) rest+=("\${words[at]}") ;;
    esac
  done
  containarium __complete "\${remote[@]}" "\${rest[@]}" 2>/dev/null | _containarium_show
}
_containarium_sudo() {
  if [[ "\${words[2]}" == containarium ]] && ((CURRENT >= 3)); then
    sudo -n containarium __complete "\${words[@]:2:$((CURRENT - 2))}" 2>/dev/null | _containarium_show
  else
    _sudo "$@"
  fi
}
_containarium_ssh() {
  local at
  for ((at = 2; at < CURRENT; at++)); do
    if [[ "\${words[at]}" == (manage|self)@* ]]; then
      ssh -o BatchMode=yes "\${words[@]:1:$((at - 1))}" __complete "\${(@q)words[@]:$at:$((CURRENT - at))}" 2>/dev/null </dev/null | _containarium_show
      return
    fi
  done
  _ssh "$@"
}
if (($+functions[compdef])); then
  compdef _containarium containarium
  compdef _containarium_sudo sudo
  compdef _containarium_ssh ssh
fi
`;

const fish = `# Completion of containarium for fish. Load it: containarium completion fish | source
function __containarium_words
  set -l words (commandline -opc) (commandline -ct)
  containarium __complete $words[2..-1] 2>/dev/null
end
complete -c containarium -f -a '(__containarium_words)'
function __containarium_sudo
  set -l words (commandline -opc) (commandline -ct)
  test "$words[2]" = containarium; and sudo -n containarium __complete $words[3..-1] 2>/dev/null
end
complete -c sudo -a '(__containarium_sudo)'
function __containarium_ssh
  set -l words (commandline -opc) (commandline -ct)
  for at in (seq 2 (math (count $words) - 1))
    if string match -qr '^(manage|self)@' -- $words[$at]
      ssh -o BatchMode=yes $words[2..$at] __complete (string escape -- $words[(math $at + 1)..-1]) 2>/dev/null </dev/null
      return
    end
  end
end
complete -c ssh -f -n '__containarium_ssh | string length -q' -a '(__containarium_ssh)'
`;

const completionScripts: Readonly<Record<string, string>> = { bash, zsh, fish };

/** Returns the script for a shell. Throws `usage` for another. */
export function completionScript(shell: string | undefined): string {
  const script = shell === undefined ? undefined : own(completionScripts, shell);
  if (script !== undefined) return script;
  throw new Failure('usage', {
    what: shell === undefined ? '"completion"' : `completion for ${quoted(shell)}`,
    why: shell === undefined ? 'it needs the name of a shell' : 'there is none',
    next: 'containarium completion bash, zsh or fish',
  });
}
