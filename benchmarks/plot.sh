#!/bin/sh
# Draws tokens/s of all sessions together against their number, for dsvl and its peers, from what peers.sh measured.
#
#   plot.sh RESULTS.json [MODEL [TITLE]] >sessions.svg
#
# MODEL is one of those in the file (the first that has sessions if it is not given). Lines are medians, the bands around
# them quartiles. Colours are of middle lightness and there is no background, so that it can be read on light and dark
# pages alike, whatever a page says about itself.
set -eu
case ${1:-} in
  '' | -h | --help)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"
    exit 0
    ;;
esac

# Reads one object a line, as peers.sh writes them.
awk -v model="${2:-}" -v title="${3:-}" '
  function text_of(key) { return match($0, "\"" key "\": *\"[^\"]*\"") ? unquote(substr($0, RSTART, RLENGTH)) : "" }
  function unquote(pair) { sub(/^"[a-z_]*": *"/, "", pair); sub(/"$/, "", pair); return pair }
  function number_of(key,   s) {
    if (!match($0, "\"" key "\": *[[]?[-0-9.e+]+")) return 0
    s = substr($0, RSTART, RLENGTH)
    sub(/.*[ :[]/, "", s)
    return s + 0
  }
  function second_of(key,   s) {
    if (!match($0, "\"" key "\": *[[][^]]*")) return 0
    s = substr($0, RSTART, RLENGTH)
    sub(/.*, */, "", s)
    return s + 0
  }
  function x(n) { return left + (right - left) * log(n) / log(most) }
  function y(v) { return bottom - (bottom - top) * v / ceiling }
  function escaped(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); return s }
  function step_of(range,   s) {  # 1, 2 or 5 times a power of ten, for at most six lines
    for (s = 1; range / s > 6; s *= 10) {
      if (range / (2 * s) <= 6) return 2 * s
      if (range / (5 * s) <= 6) return 5 * s
    }
    return s
  }

  /"processor"/ { processor = text_of("processor"); threads = number_of("threads"); date = text_of("date") }
  /"work": "pl[0-9]+"/ && /"program"/ {
    if (model == "") model = text_of("model")
    if (text_of("model") != model) next
    n = text_of("work")
    n = substr(n, 3) + 0
    program = text_of("program")
    median[program, n] = number_of("median")
    low[program, n] = number_of("quartiles")
    high[program, n] = second_of("quartiles")
    runs = number_of("runs")
    known[n] = 1
    if (n > most) most = n
    if (high[program, n] > highest) highest = high[program, n]
    if (!(program in seen)) { seen[program] = 1; programs[++count] = program }
  }

  function draw_axes(   v, n, anchor, at) {
    step = step_of(highest * 1.04)
    ceiling = highest * 1.04
    for (v = 0; v <= ceiling; v += step) {
      printf "<line class=\"%s\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n", v ? "grid" : "axis", left, y(v), right, y(v)
      printf "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d</text>\n", left - 10, y(v) + 4, v
    }
    for (n = 1; n <= most; n++) {
      if (!(n in known)) continue
      anchor = "middle"; at = x(n)  # neighbours such as 16 and 17 lean away from each other
      if ((n + 1) in known && x(n + 1) - x(n) < 24) { anchor = "end"; at += 3 }
      if ((n - 1) in known && x(n) - x(n - 1) < 24) { anchor = "start"; at -= 3 }
      printf "<line class=\"axis\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", x(n), bottom, x(n), bottom + 5
      printf "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%d</text>\n", at, bottom + 21, anchor, n
    }
    printf "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">sessions decoding together</text>\n", (left + right) / 2, bottom + 44
  }
  function draw_band(p,   n, there, back) {
    for (n = 1; n <= most; n++)
      if ((p, n) in median) {
        there = there sprintf(" %.1f,%.1f", x(n), y(high[p, n]))
        back = sprintf(" %.1f,%.1f", x(n), y(low[p, n])) back
      }
    printf "<polygon fill=\"%s\" fill-opacity=\"0.16\" points=\"%s%s\"/>\n", colour[p], substr(there, 2), back
  }
  function draw_line(p,   n, points) {
    for (n = 1; n <= most; n++)
      if ((p, n) in median) points = points sprintf(" %.1f,%.1f", x(n), y(median[p, n]))
    printf "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" stroke-linejoin=\"round\" points=\"%s\"/>\n",
           colour[p], p == "dsvl" ? 3 : 2, substr(points, 2)
    for (n = 1; n <= most; n++)
      if ((p, n) in median)
        printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s\" fill=\"%s\"/>\n", x(n), y(median[p, n]), p == "dsvl" ? 4.5 : 3.5, colour[p]
  }
  # The numbers of the line that is ours stand above it, unless the next point is too near.
  function draw_numbers(p,   n) {
    for (n = 1; n < most; n++)
      if ((p, n) in median && !((p, n - 1) in median && x(n) - x(n - 1) < 50))
        printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" fill=\"%s\">%.0f</text>\n", x(n), y(high[p, n]) - 11, colour[p],
               median[p, n]
  }
  # Names stand at the right ends of their lines, from the top down and never closer than two lines of text.
  function draw_names(   i, j, t, at, last) {
    for (i = 2; i <= count; i++)
      for (j = i; j > 1 && median[programs[j], most] > median[programs[j - 1], most]; j--) {
        t = programs[j]; programs[j] = programs[j - 1]; programs[j - 1] = t
      }
    last = -100
    for (i = 1; i <= count; i++) {
      t = programs[i]
      at = y(median[t, most])
      if (at < last + 40) at = last + 40
      last = at
      printf "<text class=\"name\" x=\"%d\" y=\"%.1f\" fill=\"%s\">%s</text>\n", right + 14, at, colour[t], escaped(t)
      printf "<text x=\"%d\" y=\"%.1f\" fill=\"%s\">%.0f tokens/s</text>\n", right + 14, at + 16, colour[t], median[t, most]
    }
  }

  END {
    if (!count) { print "plot.sh: no sessions of " (model == "" ? "any model" : model) > "/dev/stderr"; exit 1 }
    width = 830; height = 430
    left = 54; right = 690; top = 72; bottom = 370
    colour["dsvl"] = "#e0632b"; colour["ik_llama.cpp"] = "#3f83e8"; colour["llama.cpp"] = "#25968a"
    if (title == "") title = "Sessions that decode together, " model
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\"", width, height, width, height
    printf " aria-label=\"%s: tokens per second of all sessions by their number\">\n", escaped(title)
    print "<style>text{font:13px system-ui,-apple-system,\"Segoe UI\",Helvetica,Arial,sans-serif}text:not([fill]){fill:#7b838d}" \
          ".title{font-size:17px;font-weight:600}.name{font-size:15px;font-weight:600}" \
          ".grid{stroke:#8a8f98;stroke-opacity:.25}.axis{stroke:#8a8f98}</style>"
    printf "<text class=\"title\" x=\"%d\" y=\"24\">%s</text>\n", left, escaped(title)
    printf "<text x=\"%d\" y=\"46\">tokens/s of all sessions; medians and quartiles of %d runs in turn, %d threads of %s, %s</text>\n",
           left, runs, threads, escaped(processor), date
    draw_axes()
    for (i = 1; i <= count; i++) if (programs[i] != "dsvl") { draw_band(programs[i]); draw_line(programs[i]) }
    if ("dsvl" in seen) { draw_band("dsvl"); draw_line("dsvl"); draw_numbers("dsvl") }
    draw_names()
    print "</svg>"
  }' "$1"
