#!/bin/sh
# What is missing for the development loop, and the command that mends it.
#
#   sh dev/doctor.sh
#
# Ends with 0 if `tilt up` has all it needs. `just dev` needs the first two only.
set -u
cd "$(dirname "$0")/.." || exit
cluster=kpulse-test
faults=0
mac=no
if test "$(uname -s)" = Darwin; then mac=yes; fi

fine() { printf 'ok       %s\n' "$1"; }
# What is wrong, and what mends it.
fault() {
    faults=$((faults + 1))
    printf 'to mend  %s\n           %s\n' "$1" "$2"
}
on() { if test "$mac" = yes; then printf '%s' "$1"; else printf '%s' "$2"; fi; }
has() { command -v "$1" >/dev/null; }
# Whether the first version, of those two, is not the older one.
since() { test "$(printf '%s\n%s\n' "$1" "$2" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)" = "$2"; }
# The version in the first line of a text that has one: figures with a dot, for there is a 3 in k3d.
version() { sed -n 's/^/ /; s/.*[^0-9.]\([0-9][0-9]*\.[0-9][0-9.]*\).*/\1/p' | head -n 1; }

# A tool, the oldest version that does, how it tells its own, and where to get it.
tool() {
    if ! has "$1"; then
        fault "$1 is missing" "$4"
        return 1
    fi
    found=$($3 2>/dev/null | version)
    if test -n "$found" && ! since "$found" "$2"; then
        fault "$1 is $found; $2 is needed" "$4"
        return 1
    fi
    fine "$1 $found"
}

needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
tool cargo "$needed" "cargo --version" "rustup update stable, or see https://rustup.rs" || :
if has cc; then fine "cc"; else fault "cc is missing" "$(on 'xcode-select --install' 'sudo apt-get install gcc libc6-dev')"; fi

if test "$mac" = yes; then
    triple=$(uname -m | sed s/arm64/aarch64/)-unknown-linux-musl
    # The linker of macOS cannot make programs for Linux.
    tool zig 0.11 "zig version" "brew install zig" || :
    tool cargo-zigbuild 0.19 "cargo-zigbuild --version" "cargo install --locked cargo-zigbuild" || :
    if rustup target list --installed 2>/dev/null | grep -q "^$triple$"; then
        fine "target $triple"
    else
        fault "Rust cannot build for $triple" "rustup target add $triple"
    fi
fi

if tool docker 23.0 "docker --version" "https://docs.docker.com/engine/install"; then
    if docker version --format '{{.Server.Version}}' >/dev/null 2>&1; then
        fine "the Docker engine answers"
    else
        # shellcheck disable=SC2016 # it is for the reader's shell
        fault "the Docker engine does not answer" "$(on 'open -a Docker' 'sudo systemctl start docker && sudo usermod -aG docker "$(id -un)", then log in again')"
    fi
fi
tool kubectl 1.28 "kubectl version --client" "https://kubernetes.io/docs/tasks/tools" || :
tool tilt 0.30 "tilt version" "https://docs.tilt.dev/install.html" || :
if has curl; then fine "curl"; else fault "curl is missing" "$(on 'brew install curl' 'sudo apt-get install curl')"; fi
select="k3d cluster create $cluster"
if tool k3d 5.2 "k3d version" "https://k3d.io/stable/#installation"; then
    # NAME SERVERS AGENTS LOADBALANCER: servers as running/all.
    servers=$(k3d cluster list --no-headers 2>/dev/null | awk -v name="$cluster" '$1 == name { print $2 }')
    case $servers in
    '') fault "there is no cluster $cluster" "k3d cluster create $cluster" ;;
    0/*) fault "cluster $cluster is stopped" "k3d cluster start $cluster" ;;
    *)
        fine "cluster $cluster"
        select="kubectl config use-context k3d-$cluster"
        ;;
    esac
fi
if has kubectl; then
    context=$(kubectl config current-context 2>/dev/null)
    case $context in
    k3d-*)
        if kubectl --request-timeout 3s get --raw /readyz >/dev/null 2>&1; then
            fine "context $context"
        else
            fault "context $context does not answer" "k3d kubeconfig merge ${context#k3d-} --kubeconfig-merge-default --kubeconfig-switch-context"
        fi
        ;;
    *) fault "the current context is \"$context\", which is not a k3d cluster" "$select" ;;
    esac
fi

# Whoever listens on a port of this machine: nothing if it is free.
holder() {
    if has lsof; then
        lsof -nP -iTCP:"$1" -sTCP:LISTEN 2>/dev/null | awk 'NR == 2 { print $1 ", process " $2 }'
    else
        ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1, process \2/p' | head -n 1
    fi
}
# 7 is curl's word for nobody there.
taken() {
    curl --silent --output /dev/null --max-time 1 "http://127.0.0.1:$1/"
    test $? -ne 7
}
if has curl; then
    for port in 8080 8081; do
        if ! taken $port; then
            fine "port $port is free"
            continue
        fi
        by=$(holder $port)
        case $by in
        tilt,* | kpulse,* | echo-sink,*) fine "port $port has ${by%%,*}" ;;
        '') fault "port $port is taken by a program of another user" "sudo lsof -nP -iTCP:$port -sTCP:LISTEN" ;;
        *) fault "port $port is taken by $by" "kill ${by##* }" ;;
        esac
    done
fi

if test -f .env.kpulse; then
    fine ".env.kpulse: its credentials go into a new cluster"
else
    fine "no .env.kpulse: every channel leads to the sink"
fi

if test "$faults" -eq 0; then
    echo "All is there: tilt up"
else
    echo "$faults to mend for tilt up. \`just dev\` needs cargo and cc only."
    exit 1
fi
