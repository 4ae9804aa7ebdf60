#!/bin/bash
# Records a visit of two people from live RTP, seals, verifies and opens it again, in front of your eyes.
#   tools/demo.sh BUILD        BUILD: a build directory; or SEALTAPE_BIN_DIR names where the programs are
# The result stays in build/demo-visit (DEMO_DIR), made anew each time. Nothing keeps running.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${DEMO_SECONDS:-20}
place=${DEMO_DIR:-build/demo-visit}
find_program() {
    local folder
    for folder in ${SEALTAPE_BIN_DIR:-} "${1:-}" "${1:-}/agent/admin" "${1:-}/agent/recorder" "${1:-}/agent/opener"; do
        [ -x "$folder/$2" ] && [ -f "$folder/$2" ] && { realpath "$folder/$2"; return; }
    done
    command -v "$2" || { echo "demo: no $2 in ${SEALTAPE_BIN_DIR:-$1}" >&2; exit 1; }
}
sealtape_program=$(find_program "${1:-}" sealtape)
sealtaped_program=$(find_program "${1:-}" sealtaped)
accessd_program=$(find_program "${1:-}" sealtape-accessd)

bold='' dim='' green='' off='' is_terminal=
if [ -t 1 ]; then
    is_terminal=1
    [ -n "${NO_COLOR:-}" ] || { bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' off=$'\e[0m'; }
fi
step() { printf '\n%s%s%s\n' "$bold" "$*" "$off"; }
say() { printf '  %s\n' "$*"; }
good() { printf '  %s%s%s\n' "$green" "$*" "$off"; }
# Shows a command as a user would type it, then runs it.
show() {
    printf '  %s$ %s%s\n' "$dim" "$*" "$off"
    "$@" 2>&1 | indent
}
indent() { sed 's/^/  /'; }
sealtape() { "$sealtape_program" --config "$place/sealtape.conf" "$@"; }
ask() { # METHOD PATH [BODY]
    curl --silent --show-error --fail-with-body --max-time 20 --unix-socket "$place/run/recorder.sock" -X "$1" \
        "http://localhost$2" ${3:+-H 'Content-Type: application/json' -d "$3"}
}
wait_for() { # SECONDS WHAT COMMAND...
    local limit=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$limit" ] || { echo "demo: waited in vain for $what; see $place/log" >&2; exit 1; }
        sleep 0.1
    done
}

pids=()
clean_up() {
    local pid
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    wait 2>/dev/null || true
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# --- a recorder ---------------------------------------------------------------------------------------------------

step "1  Set up: settings, an organisation and its keys"
if [ -e "$place" ] && [ ! -f "$place/sealtape.conf" ] && [ ! -d "$place/log" ]; then
    echo "demo: $place is in the way" >&2
    exit 1
fi
rm -rf "$place"
mkdir -p "$(dirname "$place")"
printf '  %s$ sealtape init %s --org clinic-a%s\n' "$dim" "$place" "$off"
"$sealtape_program" init "$place" --org clinic-a 2>&1 | indent
mkdir "$place/log"
"$sealtaped_program" --config "$place/sealtape.conf" >"$place/log/sealtaped.log" 2>&1 &
recorder=$!
pids+=("$recorder")
is_ready() {
    kill -0 "$recorder" 2>/dev/null || { tail -n 5 "$place/log/sealtaped.log" >&2; exit 1; }
    ask GET /readyz >/dev/null 2>&1
}
wait_for 20 'the recorder' is_ready
good "sealtaped serves on $place/run/recorder.sock"

# --- a visit --------------------------------------------------------------------------------------------------------

# What is said, when (ms), and by which voice; mixed into one file for each person, as long as the visit.
speak() { # FILE VOICE (MS TEXT)...
    local file=$1 voice=$2 inputs=() filters='' mix='' n=0
    shift 2
    while [ $# -gt 0 ]; do
        flite -voice "$voice" -t "$2" -o "$place/log/line-$n.wav"
        inputs+=(-i "$place/log/line-$n.wav")
        filters+="[$n]aresample=48000,adelay=$1[a$n];"
        mix+="[a$n]"
        n=$((n + 1))
        shift 2
    done
    ffmpeg -v error -y "${inputs[@]}" -filter_complex "$filters${mix}amix=$n:normalize=0,apad,atrim=0:$seconds" \
        -ac 1 "$file"
    rm -f "$place"/log/line-*.wav
}
speak "$place/log/p1.wav" rms 700 'Good morning. How have you been sleeping since we last spoke?' \
    9200 'That is good to hear. And the headaches?' 16200 'Then let us keep the dose as it is.'
speak "$place/log/p2.wav" slt 5200 'Better, thank you. I slept six hours most nights.' \
    12500 'Only one this week, and it was mild.'

step "2  A visit begins: two people, both agreed to be recorded"
consents='[{"purpose":"record-audio","state":"granted","text_version":"2026-01","evidence":"ev-1","at":"2026-11-21T17:00:00Z"},
           {"purpose":"record-video","state":"granted","text_version":"2026-01","evidence":"ev-1","at":"2026-11-21T17:00:00Z"}]'
opus='"kind":"audio","codec":"opus","payload_type":111,"clock_rate":48000,"channels":2'
request='{"org":"clinic-a","reference":"visit-4711","participants":[
    {"id":"p1","role":"provider","consents":'$consents'},{"id":"p2","role":"client","consents":'$consents'}],"tracks":[
    {"id":"p1-audio","participant":"p1",'$opus'},
    {"id":"p1-video","participant":"p1","kind":"video","codec":"vp8","payload_type":96,"clock_rate":90000},
    {"id":"p2-audio","participant":"p2",'$opus'},
    {"id":"p2-video","participant":"p2","kind":"video","codec":"h264","payload_type":102,"clock_rate":90000}]}'
answer=$(ask POST /v1/sessions "$request") || { echo "demo: refused: $answer" >&2; exit 1; }
session=$(jq -r .session <<<"$answer")
port() { jq -r --arg id "$1" '.tracks[] | select(.id == $id) | .port' <<<"$answer"; }
say "POST /v1/sessions: session $session"
jq -r '.tracks[] | "  send \(.id) to \(.host):\(.port)"' <<<"$answer"

# Each person is a process of their own that sends live RTP, as a media server would forward it.
n_frames=$((seconds * 25)) picture='video/x-raw,format=I420,width=640,height=360,framerate=25/1'
send() { # NAME WAV PATTERN ENCODER PAYLOADER AUDIO_PORT VIDEO_PORT
    # shellcheck disable=SC2086 # lists of words
    gst-launch-1.0 -q filesrc "location=$2" ! wavparse ! audioconvert ! audioresample ! \
        audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay pt=111 ! udpsink host=127.0.0.1 "port=$6" \
        videotestsrc is-live=true "pattern=$3" "num-buffers=$n_frames" $4 ! queue ! $5 ! \
        udpsink host=127.0.0.1 "port=$7" >"$place/log/$1.log" 2>&1 &
    pids+=($!)
}
send p1 "$place/log/p1.wav" ball "! $picture ! vp8enc deadline=1 cpu-used=8 target-bitrate=600000 keyframe-max-dist=50" \
    'rtpvp8pay pt=96 picture-id-mode=15-bit mtu=1200' "$(port p1-audio)" "$(port p1-video)"
first=${pids[-1]}
send p2 "$place/log/p2.wav" smpte "! $picture ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=600
    key-int-max=50 ! video/x-h264,profile=constrained-baseline" 'rtph264pay pt=102 config-interval=-1 mtu=1200' \
    "$(port p2-audio)" "$(port p2-video)"
second=${pids[-1]}

step "3  Recording $seconds seconds of live RTP: VP8 + Opus and H.264 + Opus"
progress() {
    ask GET "/v1/sessions/$session" | jq -r '
        "\(.state): " + ([.tracks[] | "\(.id) \(.packets) packets, \(.acknowledged_us / 1000000 | floor) s safe"] | join("; "))'
}
started=$SECONDS
while kill -0 "$first" 2>/dev/null || kill -0 "$second" 2>/dev/null; do
    [ $((SECONDS - started)) -lt $((seconds + 30)) ] || { echo "demo: the senders did not end" >&2; exit 1; }
    if [ -n "$is_terminal" ]; then
        printf '\r\e[K  %.*s' "$(($(tput cols 2>/dev/null || echo 100) - 3))" "$(progress)"
    fi
    sleep 0.5
done
[ -z "$is_terminal" ] || printf '\r\e[K'
for name in p1 p2; do
    [ ! -s "$place/log/$name.log" ] || { cat "$place/log/$name.log" >&2; exit 1; }
done
say "$(progress)"
ask POST "/v1/sessions/$session/stop" '{}' >/dev/null
is_stored() { [ "$(ask GET "/v1/sessions/$session" | jq -r .state)" = stored ]; }
wait_for 30 'everything to be stored' is_stored
good "POST /v1/sessions/$session/stop: stored"

# --- looked at with Sealtape ----------------------------------------------------------------------------------------

step "4  What is there"
show sealtape session list
echo
show sealtape session show "$session"

step "5  All there, genuine and in order? Needs no secret, only the recorder's public key"
show sealtape verify "$session"

step "6  Opened by somebody who may, for a purpose: every track, in step, not transcoded"
"$accessd_program" --config "$place/sealtape.conf" >"$place/log/sealtape-accessd.log" 2>&1 &
opener=$!
pids+=("$opener")
opens() {
    kill -0 "$opener" 2>/dev/null || { tail -n 5 "$place/log/sealtape-accessd.log" >&2; exit 1; }
    [ -S "$place/run/access.sock" ]
}
wait_for 20 'the opener' opens
printf '  %s$ sealtape export %s --purpose TREAT --output %s%s\n' "$dim" "$session" "$place/visit.mkv" "$off"
if [ -n "$is_terminal" ]; then # its progress bar wants the terminal
    sealtape export "$session" --purpose TREAT --output "$place/visit.mkv"
else
    sealtape export "$session" --purpose TREAT --output "$place/visit.mkv" 2>&1 | indent
fi
show ffprobe -v error -show_entries stream=index,codec_type,codec_name,width,height:stream_tags=title:format=duration \
    -of compact=nk=0 "$place/visit.mkv"

step "7  And not for a purpose that the role does not have; both stand in the audit log"
printf '  %s$ sealtape export %s --purpose HMARKT --output %s%s\n' "$dim" "$session" "$place/no.mkv" "$off"
if refused=$(sealtape export "$session" --purpose HMARKT --output "$place/no.mkv" 2>&1); then
    echo "demo: an export for marketing was not refused" >&2
    exit 1
fi
indent <<<"$refused"
printf '  %s$ sealtape audit show%s\n' "$dim" "$off"
sealtape audit show | sed -nE 's/^[^ ]+ [^ ]+ [0-9]+ ([^ ]+) ([^ ]+ [^ ]+) .*(use=[A-Z]+).*/  \1 \2 \3/p; s/^[^ ]+ [^ ]+ [0-9]+ ([^ ]+) (recording-[a-z]+ [^ ]+).*/  \1 \2/p' | sort
kill "$opener"
wait "$opener" || { echo "demo: the opener did not end well; see $place/log" >&2; exit 1; }

# --- and without ----------------------------------------------------------------------------------------------------

step "8  The same without Sealtape: Debian's age and ffprobe alone"
session_folder=$place/store/clinic-a/$session
envelope=$(find "$session_folder/env" -name '*.age' | sort -V | head -n 1)
keys=$place/session.ids
identity=$(grep -l 'AGE-SECRET-KEY-1' "$place"/keys/* | grep -v glass | head -n 1)
(umask 077 && age -d -i "$identity" "$envelope" >"$keys")
say "\$ age -d -i $identity $envelope > $keys"
read -r object offset length < <(cat "$session_folder"/manifest/*.note |
    awk '$1 == "seg" && $2 == "p2-video" && $3 == 0 && $4 == 0 { print $8, $9, $10; exit }')
[ -f "$session_folder/$object" ] || session_folder=$place/store
segment=$place/segment.age
dd if="$session_folder/$object" of="$segment" iflag=skip_bytes,count_bytes skip="$offset" count="$length" status=none
say "the manifest: p2-video's first segment is $length bytes at $offset of $object"
say "\$ age -d -i $keys $segment | ffprobe -"
age -d -i "$keys" "$segment" |
    ffprobe -v error -count_packets -show_entries stream=codec_name,width,height,nb_read_packets:format=format_name \
        -of compact=nk=0 - | indent
rm -f "$segment" "$keys"

step "Where everything lies"
here=$place
cat <<END
  $here/visit.mkv       the opened recording: play it with any player (this one file is plaintext)
  $here/store/          what object storage holds: age files, envelopes and the signed manifest
  $here/keys/           the only secrets that open them; a recorder needs none of these
  $here/sealtape.conf   settings, and orgs/ for the organisation's
  $here/log/            what recorder and senders said

How to go on
  open without it   $sealtape_program --config $here/sealtape.conf recover $session --identity $identity --output $here/again.mkv
  try to cheat      printf x | dd of=$(find "$place/store/clinic-a/$session/tp1-audio" -name '*.tape' | sort -V | head -n 1) bs=1 seek=500 conv=notrunc
                    $sealtape_program --config $here/sealtape.conf verify $session
  record again      $sealtaped_program --config $here/sealtape.conf     and POST to $here/run/recorder.sock
  read              README.md, ARCHITECTURE.md
END
kill "$recorder"
wait "$recorder" || { echo "demo: the recorder did not end well; see $place/log" >&2; exit 1; }
