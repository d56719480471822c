#!/bin/sh
# Makes the first inputs of the fuzz targets from the published test vectors. They are not stored.
set -eu
cd "$(dirname "$0")"
families="modbus-relay xor-board kerong-cu16 kerong-cu48 kerong-cu48-ir wkly"
for target in scanner explain roundtrip; do mkdir -p "corpus/$target"; done

# Hexadecimal bytes to the octal escapes that every printf knows.
octal() {
	echo "$1" | awk '{
		for (i = 1; i <= NF; i++) {
			high = index("0123456789ABCDEF", substr($i, 1, 1)) - 1
			low = index("0123456789ABCDEF", substr($i, 2, 1)) - 1
			printf "\\%03o", high * 16 + low
		}
	}'
}

count=0
index=-1
while read -r sign rest; do
	if [ "$sign" = "#" ]; then
		name=${rest#family=}
		name=${name%% *}
		index=-1 place=0
		for family in $families; do
			[ "$family" = "$name" ] && index=$place
			place=$((place + 1))
		done
		continue
	fi
	[ -n "$sign" ] && [ "$index" -ge 0 ] || continue
	frame=${rest%%;*}
	family=$(printf '%02X' "$index")
	length=$(printf '%02X' "$(echo "$frame" | wc -w)")
	count=$((count + 1))
	printf "$(octal "$family $frame")" >"corpus/explain/vector-$count"
	# Family, address, locks, request, lock, flags; then a chunk with its length before it.
	for request in 00 01 02 03; do
		for address in 00 01; do
			setting="$family $address 08 $request 01 02"
			name="vector-$count-$request-$address"
			printf "$(octal "$setting $length $frame")" >"corpus/scanner/$name"
		done
	done
	setting="$family 01 08 00 01 02 01 02 03 33 80 8A 00 FF 57 10 20 30"
	printf "$(octal "$setting $length $frame")" >"corpus/roundtrip/vector-$count"
done <../tests/data/vectors.txt
echo "$count vectors became seeds"
