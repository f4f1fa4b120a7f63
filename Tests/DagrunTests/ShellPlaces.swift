/// Where values can stand in scripts, by the grammars of bash, dash and busybox sh. `@` is the value.
enum ShellPlaces {
  /// In any of these, a command may stand at `%`.
  static let surroundings = [
    "%", "( % )", "{ %\n}", "x=$( % )", "echo \"$( % )\"", "if true; then %\nfi", "f() {\n%\n}\nf", "true && %",
    "cat <<EOF\n$( % )\nEOF", "for i in 1 2; do %\ndone", "case x in (x) %\n;; esac", "cat <<-'A' <<B\n\tx\n\tA\n$( % )\nB",
    "x=$((1 + $( % ; echo 1)))", "% # it's\n", "! time -p %", "echo `echo x`; %", "echo ${x:-$( % )}",
    "echo $'a\\'b'; %", "cat <<\"E F\"; %\n'\nE F",
  ]

  /// Commands, with every kind of place.
  static let commands = [
    // Words and quotes.
    "echo @", "echo x@y", "echo \"@\"", "echo '@'", "echo $'@'", "echo $'\\x@'", "echo $'\\c@'", "echo $'\\@'", "echo $\"@\"",
    "echo \\@", "echo \"\\@\"", "echo $@", "echo \"$@\"", "echo \"$\\@\"", "echo $x@", "echo \"$x@\"", "echo \"$$@\"", "echo $$@",
    "echo ''@''", "echo \"a\"@'b'", "echo @@", "echo \"@\"@", "echo \\\\@", "echo \\\n@", "echo `echo @`", "echo \"`echo @`\"",
    "echo `echo \\`echo @\\``", "@", "@ x", "x@ y", "./@", "\"@\" x", "$x @", "\"$x\" @", "$(echo echo) @", "\\echo @", "e'ch'o @",
    "echo @ | cat", "echo x@>/dev/null", "echo @ & wait", "echo @; echo @", "echo @;", "echo @ # @", "# @\ntrue", "#@",
    "echo x#@", "echo ~@", "echo ~/@", "x=~@", "echo *@*", "echo [@]", "echo [!@]*", "echo ?@", "echo {a,@}", "echo {1..@}",
    "echo {@,b}$x", "echo @(@|b)", "echo !(@)", "echo a(@)", "echo =@", "echo -@", "echo --x=@", "echo +@", "echo @ @ @",
    // Parameters.
    "echo ${x:-@}", "echo ${x-@}", "echo ${x:=@}", "echo ${x=@}", "echo ${x:+@}", "echo ${x+@}", "echo ${x:?@}", "echo ${x?@}",
    "echo ${x#@}", "echo ${x##@}", "echo ${x%@}", "echo ${x%%@}", "echo ${x/@/y}", "echo ${x//y/@}", "echo ${x/#@}", "echo ${x/%@/@}",
    "echo ${x^@}", "echo ${x,,@}", "echo ${x:@}", "echo ${x: @}", "echo ${x:0:@}", "echo ${x: -1:@}", "echo ${@}", "echo ${@:-y}",
    "echo ${!@}", "echo ${!x@}", "echo ${x@@}", "echo ${#@}", "echo ${x[@]}", "echo ${x[@]:-@}", "echo ${a[0]:-@}", "echo ${!x:-@}",
    "echo \"${x:-@}\"", "echo \"${x:-'@'}\"", "echo \"${x:-\"@\"}\"", "echo \"${x#@}\"", "echo \"${x:-$(echo @)}\"", "echo ${x:-\"@\"}",
    "echo ${x:-'@'}", "echo ${x:-${y:-@}}", "echo ${x:-a b @}", "echo ${x:-\\@}", "echo ${1:-@}", "echo ${10:-@}", "echo ${?:+@}",
    "echo ${PS4:=@}", "echo ${x:-{@}", "echo ${x:-<(@)}", "echo ${x:-`echo @`}", "echo ${ echo @; }", "echo ${| echo @; }",
    // Arithmetic.
    "echo $((@))", "echo $((@ + 1))", "echo $((x + @))", "echo $((1 << @))", "echo $((x@))", "echo $((16#@))", "echo $((a[@]))",
    "echo $(( (1 + @) * 2 ))", "echo $((\"@\"))", "echo $(('@'))", "echo $((${x:-@}))", "echo $((\\@))", "echo $((x = @))",
    "((x = @))", "((@)) && echo yes", "for ((i = 0; i < @; i++)); do i=99; done", "echo $[@]", "echo $[@+1]", "echo $[a[@]]",
    "((echo @) | cat)", "echo $((echo @) | cat)", "let x=@", "let \"x = @\"", "a[@]=1", "a[@]+=1", "a[0]=@", "a=(@)", "a=(x @ y)",
    "a=([@]=5)", "a=([0]=@)", "a=(\"@\")", "a=(\n@\n# @\n)", "a+=(@)", "a=(x[@])", "declare -A m=([@]=1)", "declare -a a=(@)",
    "declare -A m; m[@]=1", "a=(1); echo ${a[@]}", "a=(1); unset a[@]", "a=(1); unset 'a[@]'", "x+=@",
    // Assignments.
    "x=@", "x=\"@\"", "x='@' y=@", "x=@ echo y", "x=a:@", "x=@ y=$x", "PATH=@ true", "PS4=@; set -x; echo y", "IFS=@", "ENV=@ true",
    "BASH_ENV=@ bash -c :", "RANDOM=@", "SECONDS=@", "OPTIND=@", "LD_PRELOAD=@ true", "HOME=@", "REGION=@", "_=@", "BASH_COMPAT=@",
    "declare -i n; n=@", "declare -i n; for n in @; do :; done", "local -i n; n=@", "n=@; declare -i n; n=@", "declare -ri n=@",
    "typeset -i n=@", "declare n=@", "declare @", "declare @=1", "declare \"n=@\"", "declare -a n=@", "declare -n r=@; echo $r",
    "export x=@", "export @", "export @=1", "export x@=1", "export -n x=@", "readonly r=@", "readonly -a r=@", "local l=@", "local @",
    "declare -x x=@", "declare -x @=x", "declare $x=@", "a=(1); export a=@", "a=(1); local a=@", "export x=1 y=@", "export \"x=@\"",
    // Builtins.
    "eval @", "eval echo @", "eval \"echo @\"", "eval 'echo @'", "command eval @", "builtin eval @", "\\eval @", "e\"va\"l @",
    "ev\\\nal @", "x=1 eval @", ">/dev/null eval @", "2>/dev/null eval \"@\"", "time eval @", "time -p eval @", "exec eval @",
    "trap @ EXIT", "trap \"echo @\" EXIT", "trap 'echo @' EXIT", ". @", "source @", "source /dev/stdin <<< @", ". /dev/stdin <<EOF\n@\nEOF",
    "read @", "read x <<< @", "read @ <<< x", "echo @ | read x", "read -a @ <<< y", "read x[@] <<< y", "mapfile -C @ -c 1 x <<< y",
    "mapfile x <<< @", "mapfile -t @ <<< y", "readarray -O @ x <<< y", "unset @", "unset -v @", "unset x@", "getopts @ x", "getopts a @ -a",
    "printf @", "printf %s @", "printf '%s\\n' @ @", "printf \"@\" x", "printf -v @ x", "printf -v x %s @", "printf @ @", "printf -- @", "printf %d @",
    "printf \"%$((1))s\" @", "printf $x @", "printf -@ @", "printf '%(%s)T' @", "printf %q @", "printf \"%*s\" @ @",
    "[ @ = x ]", "[ @ -gt 0 ]", "[ 0 -lt @ ]", "[ -v @ ]", "[ -n @ ]", "[ -f @ ]", "[ ! -e @ ]", "[ @ @ ]", "[ @ @ @ ]", "[ -n @ -a @ = x ]",
    "[ @ ]", "[ ! @ ]", "[ @ == x -o @ @ ]", "test @ = x", "test -v @", "test @ -eq 1", "test -R @", "test -t @", "test -o @", "[ \"@\" = \"$x\" ]",
    "[[ @ == x ]]", "[[ x == @ ]]", "[[ x == @* ]]", "[[ @ -gt 0 ]]", "[[ 0 -eq @ ]]", "[[ \"@\" -le 5 ]]", "[[ '@' -ne 5 && x ]]", "[[ -v @ ]]",
    "[[ ! -v @ ]]", "[[ -R @ ]]", "[[ -n @ && ( x -lt @ ) ]]", "[[ x =~ @ ]]", "[[ x =~ ^(@|y)$ ]]", "[[ @ =~ x ]]", "[[ -f @ ]]", "[[ x < @ ]]", "[[ @ ]]",
    "[[ a[@] -eq 0 ]]", "[[ -v a[@] ]]", "[[ $((@)) -eq 1 ]]", "[[ x@y -ge 0 ]]", "[[ -t @ ]]", "[[ x -nt @ ]]", "[[ @ -nt x || @ -ne 3 ]]",
    "exit @", "return @", "shift @", "break @", "continue @", "umask @", "ulimit -n @", "wait @", "kill -0 @", "kill -@ $$", "set @", "set -- @", "set -e -- @",
    "set -o @", "set x @", "set -- x; echo ${@:@}", "set -@", "shopt -s @", "alias @", "alias e=eval\ne @", "alias e=@\ne", "enable @", "hash @", "type @",
    "command @", "command -v @", "command -p echo @", "builtin @", "builtin echo @", "exec @", "exec echo @", "exec 3<@", "exec -a @ true",
    "cd @", "cd -- @", "pushd @", "dirs @", "jobs -x @", "complete -C @ x", "compgen -C @", "compgen -W @", "bind -x @", "history -s @", "fc -s @",
    "select s in @; do break; done </dev/null", "coproc @", "coproc N { echo @; }", "function @ { :; }", "@() { :; }", "function f { echo @; }; f", "f() { eval \"$1\"; }; f() { :; }; f @",
    "for @ in x; do :; done", "for f in @; do :; done", "for f in x @ \"@\"; do :; done", "for f in {@,x}; do :; done",
    "case @ in x) ;; esac", "case x in @) ;; esac", "case x in (@|y) ;; esac", "case x in x@*) ;; esac", "case x in \"@\") echo @ ;; *) echo @ ;; esac",
    "case x in [@]) ;; esac", "echo \"$(case x in x) echo @ ;; esac)\"", "case x in x) echo @ ;& y) echo @ ;; esac",
    "while [ @ = y ]; do :; done", "until true; do echo @; done", "if [ @ = y ]; then :; elif [ x = @ ]; then :; else echo @; fi",
    // Programs.
    "env echo @", "env X=@ true", "env @ true", "env -S @", "env -S 'echo @'", "env -i @", "env \"$x\" @", "nice -n @ true", "timeout @ true", "timeout 5 @", "nohup echo @",
    "xargs @ </dev/null", "xargs echo @ </dev/null", "sh -c @", "sh -c \"echo @\"", "bash -c 'echo @'", "sh -c 'echo \"$1\"' _ @", "bash -ec @", "bash -o @ -c :",
    "sh @", "sh @ @", "sh -s @ </dev/null", "/bin/sh -c @", "env sh -c @", "sh <<EOF\n@\nEOF", "sh <<< @", "bash -s <<'EOF'\n@\nEOF", "sh < @", "command sh -c @",
    "busybox sh -c @", "busybox @ x", "nice sh -c @", "find . -maxdepth 0 -exec sh -c @ \\;", "echo x | xargs sh -c @", "sed @ /dev/null", "echo x | sed \"s/x/@/\"", "echo x | sed -e @",
    "echo x | awk @", "echo x | awk \"{ print \\\"@\\\" }\"", "awk -v x=@ 'BEGIN { print x }'", "perl -e @", "echo x | sed -n \"s/x/@/p\"", "\"$BASH\" -c @", "$0 -c @",
    // Redirections.
    "cat < @", "echo > @", "echo >> @", "echo >| @", "echo 2> @", "cat <> @", "echo >& @", "cat <& @", "echo &> @", "echo &>> @", "echo 2>&@", "cat <<< @", "cat <<< \"@\"",
    "cat 0<<< @", "exec {fd}> @", "exec {@}>/dev/null", "cat <(echo @)", "cat <(@)", "echo > >(cat @)", "echo @ > /dev/null", "> /dev/null echo @", "3</dev/null echo @", "echo &>/dev/null eval @",
    // Here-documents.
    "cat <<EOF\n@\nEOF", "cat <<EOF\nx@y\nEOF", "cat <<EOF\n@@\nEOF", "cat <<EOF\n@F\nEOF", "cat <<EOF\nE@\nEOF", "cat <<'EOF'\n@\nEOF", "cat <<'EOF'\n@@F\nEOF",
    "cat <<\"EOF\"\nx@\nEOF", "cat <<\\EOF\n@\nEOF", "cat <<-EOF\n\t@\n\tEOF", "cat <<-'EOF'\n@\nEOF", "cat <<EOF\n\\@\nEOF", "cat <<EOF\n$@\nEOF", "cat <<EOF\n$x@\nEOF",
    "cat <<EOF\n$(echo @)\nEOF", "cat <<EOF\n$(echo \"@\")\nEOF", "cat <<EOF\n$(echo '@')\nEOF", "cat <<EOF\n$((@))\nEOF", "cat <<EOF\n${x:-@}\nEOF", "cat <<EOF\n`echo @`\nEOF",
    "cat <<EOF\n\"@\" '@'\nEOF", "cat <<@\nx\n@\n", "cat <<E@\nx\nEOF", "cat <<EOF @\nx\nEOF", "cat <<EOF; echo @\nx\nEOF", "cat <<EOF | cat\n@\nEOF", "cat <<A <<B\n@\nA\n@\nB",
    "cat <<EOF\nx\\\nEOF\n@\nEOF", "cat <<EOF\nEO\\\n@\nEOF", "x=$(cat <<EOF\n@\nEOF\n)", "x=$(cat <<EOF\n@\nEOF)", "x=$(cat <<'EOF'\n'@'\nEOF\n)", "(cat <<EOF\n@\nEOF\n)",
    "cat <<EOF\n$(cat <<X\n@\nX\n)\nEOF", "cat <<EOF\n$(cat <<'X'\n@\nX\n)\nEOF", "cat <<EOF \"\n\" @\nx\nEOF", "cat <<EOF $(\n) @\nx\nEOF", "cat <<''\n@\n\ntrue", "cat <<$x\n@\n$x", "cat <<E\"O\"F\n@\nEOF",
    "while read -r l; do :; done <<EOF\n@\nEOF", "cat <<EOF\nx", "cat <<EOF\n@", "cat <<EOF # @\n@\nEOF", "cat <<é\n@\né", "cat <<EOF\r\n@\r\nEOF\r", "cat << EOF\n@\n EOF\nEOF", "cat <<EOF\n$'@'\nEOF",
  ]

  /// Scripts in which reading itself could go wrong.
  static let whole = [
    "#!/bin/sh @\necho x", "#!@\necho x", "echo \"unclosed @", "echo 'unclosed @", "echo $(unclosed @", "echo ${unclosed @", "echo ) @", "esac @", ";; @", "} @", "fi @",
    "if true; then echo @; fi; echo @", "echo 'it'\\''s' @", "echo \"a\\\"b\" @", "echo \"it's\" @ 'x\"y' \"@\"", "echo a\\ b @", "echo a'b\nc'd @", "echo $# @", "echo $#@", "echo ${#} @", "echo ${##} @",
    "echo \"$(echo \"$(echo \"@\")\")\"", "echo $(echo $(echo $(echo @)))", "echo \"${x:-\"}\"}\" @", "echo \"${x:-'}'}\" @", "echo ${x:-'}'} @", "echo ${x:-\"}\"} @", "echo ${x:-\\}} @", "echo `echo \\`` @",
    "echo '`' @ '`'", "echo \"'\" @ \"'\"", "echo \\' @ \\'", "echo \\\" @ \\\"", "echo $'\\'' @", "echo $'\\\\' @ ' '", "echo \"\\\\\" @", "echo a#b @", "echo a #b' \n echo @", "echo $(# it's )\necho @)",
    "x='a'# @", "echo $((1)) @", "echo $((1 + (2))) @ ", "echo $(( 1 << 2 )) @", "((1 << 2)); echo @", "echo $[1<<2] @", "(( x = 1 )) # '\necho @ '", "case x in x) echo ')' ;; esac; echo @",
    "case x in\nx) case y in y) : ;; esac ;;\nesac; echo @", "case x in esac) echo @ ;; esac", "case esac in x) ;; esac; echo @", "echo case x in @", "for case in x; do echo @; done", "echo if then @", "if=1 then=2 echo @",
    "cat <<A; cat <<B\n'\nA\n\"\nB\necho @", "cat <<'A B'\n$(\nA B\necho @", "cat <<A\n$(echo ')')\nA\necho @", "cat <<A\n`\nA\necho @ `", "cat <<A\n\\$( \nA\necho @", "cat <<A\n${x:-'}\nA\necho @ '",
    "<<A cat; echo @\n'\nA\n", "cat <<-A\n\tx\n\t\tA\necho @", "cat<<A;echo @\nA", "cat <<A&\nA\necho @", "cat 3<<A <&3\n@\nA", "cat <<A >/dev/null\n@\nA\necho @", "echo <<< '@' x", "echo x <<<@ 'y'",
    "f () { echo \"$1\"; }\nf @", "f () ( echo @ )\nf", "function f() { echo @; }\nf", "a=(1 2); echo ${a[1]} @", "a=(\"(\" ')'); echo @", "x=a[1 echo @", "a[1]=2 echo @", "a[$(echo 1)]=@", "a['@']=1", "a[\"@\"]=1",
    "[[ a == b ]] ; echo @", "[[ ( a == b ) || ! c ]] && echo @", "[[ a =~ (a|b)* ]] ; echo @", "[[ a =~ [\"'] ]]; echo '@'", "[[ a =~ \\( ]] ; echo @", "[ a = ']' ] ; echo @", "[ '(' = @ ]", "echo [[ @ -eq 0 ]]",
    "set -k; echo @", "set -H; echo \"@\"", "set -o history -o histexpand; echo \"@\"", "shopt -s extglob; echo @", "shopt -s expand_aliases\nalias echo=eval\necho @", "set -euo pipefail; echo @", "set -x; echo @", "set -o posix; echo @",
    "eval 'declare -i n'; n=@", "n() { declare -i n; n=@; }; n", "source /dev/null; echo @", "trap 'echo \"' EXIT; echo @", "while read -r x; do echo @; done <<< y", "{ echo @; } > /dev/null 2>&1", "( echo @ ) 2>/dev/null", "echo @ |& cat", "echo x &>/dev/null; echo @",
    "exec 3>&1; echo @ >&3", "echo >&2 @", "echo 2>&1 @", "echo x 2>&1>/dev/null @", "time echo @", "time { eval @\n}", "! eval @", "if eval @; then :; fi", "{ eval @\n}", "(eval @)", "true || eval @", "true & eval @", "true | eval @",
    "do eval @", "x=1 y=2 eval @", "x=$(true) eval @", "a[0]=1 eval @", "x= eval @", "x+=1 eval @", "2>&1 x=1 eval @", "<<A eval @\nA", "'eval' @", "\"eval\" @", "$'eval' @", "ev''al @", "eval\t@", "command command eval @", "command -- eval @",
    "command -p eval @", "builtin command eval @", "env -i sh -c @", "exec sh -c @", "nohup nice sh -c @", "timeout 5s bash -lc @", "timeout -k 1 5 sh -c @", "env A=1 B=2 bash -c \"@\"", "env -u X sh -c @", "setsid sh -c @", "xargs -I{} sh -c @ </dev/null", "sudo -n sh -c @",
    "@\n@", "@ @", "echo @\n#@\necho @", "\n\n@", "  @", "\t'@'", "\"@\"", "$(echo @)", "`@`", "\\@", "#!/bin/bash\n@", "echo @ \\\n @ \\\n @", "echo \"@\" \\\n'@'", "echo\\ @", "\\\neval @", "e\\val @", "{eval,@}", "~@/x y", "*@ y", "[@ = x ]", "[[@ = x ]]",
    "for x in #@\ndo :; done", "for x in y #@\ndo :; done", "case x in #@\nx) ;; esac", "case x in (#@\nx) ;; esac", "case #@\nx in x) ;; esac", "a=(#@\n)", "a=(x #@\n)", "echo > #@\n", "[[ x == #@\nx ]]",
    "cat <\\\n<EOF\n@\nEOF", "cat <<\\\n-EOF\n@\nEOF", "echo $\\\n@", "echo \"$\\\n@\"", "echo $\\\n(@)", "(\\\n(@))", "echo ${\\\nx:-@}", "echo x;\\\n;@", "echo &\\\n> @", "cat <<EOF\n$\\\n@\nEOF",
    "eval ${x:=@}", "eval \"${x=@}\"", "let ${x:=@}", "[[ ${x:=@} -gt 0 ]]", "[[ ${x:-@} -gt 0 ]]", "sh -c ${x:-@}", "declare -i n=${x:-@}", "a[${x:-@}]=1", "echo $((${x:=@}))", "${x:-@} y", "export ${x:-@}", "printf ${x:-@} @",
    "env \"$x\" @", "command \"$x\" @", "bash \"$x\" @", "bash $x @", "x=eval; $x @", "x=eval; command $x @", "cat <<EOF; a=(\n@)\nEOF", "exec \"$x\" @", "env -u X \"$x\" @",
  ]
}
