/**
 * `containarium completion bash|zsh|fish`: scripts for the shells of people. They complete verbs, flags and live names
 * for the client, for `sudo containarium` on the host, and for `ssh -p 2222 manage@jump …`.
 */
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';

/** The word before the words to complete. No verb begins with an underscore. */
export const completeCommand = '__complete';

const bash = `# Completion of containarium for bash. Load it: source <(containarium completion bash)
_containarium_reply() {
  local line word="$1"
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("\${line%%$'\t'*}"); done
  # Of an option with "=", bash completes what follows it.
  [[ $word == *=* ]] || compopt -o nosort 2>/dev/null
}
_containarium() {
  local -a remote=() words=()
  local at
  for ((at = 1; at <= COMP_CWORD; at++)); do
    case "\${COMP_WORDS[at]}" in
    --server | --certs-dir | --on) ((at < COMP_CWORD)) && remote+=("\${COMP_WORDS[at]}" "\${COMP_WORDS[++at]}") ;;
    *) words+=("\${COMP_WORDS[at]}") ;;
    esac
  done
  _containarium_reply "\${COMP_WORDS[COMP_CWORD]}" < <(containarium __complete "\${words[@]}" "\${remote[@]}" 2>/dev/null)
}
complete -o default -F _containarium containarium
_containarium_sudo() {
  if [[ "\${COMP_WORDS[1]}" == containarium && $COMP_CWORD -ge 2 ]]; then
    _containarium_reply "\${COMP_WORDS[COMP_CWORD]}" < <(sudo -n containarium __complete "\${COMP_WORDS[@]:2:COMP_CWORD-1}" 2>/dev/null)
  else
    declare -F _sudo >/dev/null && _sudo "$@"
  fi
}
complete -o default -F _containarium_sudo sudo
_containarium_ssh() {
  local at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "\${COMP_WORDS[at]}" in
    manage@* | self@*)
      _containarium_reply "\${COMP_WORDS[COMP_CWORD]}" < <(ssh -o BatchMode=yes "\${COMP_WORDS[@]:1:at}" __complete "$(printf '%q ' "\${COMP_WORDS[@]:at+1:COMP_CWORD-at}")" 2>/dev/null </dev/null)
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
    --server | --certs-dir | --on) ((at < CURRENT)) && remote+=("\${words[at]}" "\${words[++at]}") ;;
    *) rest+=("\${words[at]}") ;;
    esac
  done
  containarium __complete "\${rest[@]}" "\${remote[@]}" 2>/dev/null | _containarium_show
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
  const script = shell === undefined ? undefined : completionScripts[shell];
  if (script !== undefined && Object.hasOwn(completionScripts, shell ?? '')) return script;
  throw new Failure('usage', {
    what: shell === undefined ? '"completion"' : `completion for ${quoted(shell)}`,
    why: shell === undefined ? 'it needs the name of a shell' : 'there is none',
    next: 'containarium completion bash, zsh or fish',
  });
}
