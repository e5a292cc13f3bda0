// Verifies an export of the disclosure log with none of Concordat's code: signed notes, leaf and node hashes
// and the arithmetic of tiles are those of golang.org/x/mod. Written from docs/log-format.md alone.
//
//	verify-export DIR VKEY
//
// Says what is wrong and where, a line each, and ends with 1; or "verified N entries" and ends with 0.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	entrySize  = 66
)

type checkpoint struct {
	origin string
	size   int64
	root   tlog.Hash
}

// Everything hashed so far, as tlog numbers its stored hashes.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(h)) {
			return nil, fmt.Errorf("hash %d is not there", index)
		}
		out[i] = h[index]
	}
	return out, nil
}

var problems int

func problem(format string, arguments ...interface{}) {
	problems++
	if problems <= 50 {
		fmt.Printf(format+"\n", arguments...)
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: verify-export DIR VKEY")
		os.Exit(2)
	}
	size := verify(os.Args[1], os.Args[2])
	if problems > 0 {
		fmt.Printf("NOT verified: %d problems\n", problems)
		os.Exit(1)
	}
	fmt.Printf("verified %d entries\n", size)
}

func verify(dir, vkey string) int64 {
	head, err := openCheckpoint(filepath.Join(dir, "checkpoint"), vkey)
	if err != nil {
		problem("checkpoint: %v", err)
		return 0
	}
	stored, ok := readEntries(dir, head.size)
	if !ok {
		return 0
	}
	checkTiles(dir, head.size, stored)
	root, err := rootOf(head.size, stored)
	if err != nil || root != head.root {
		problem("checkpoint: the %d entries do not give the root that was signed", head.size)
	}
	checkFinal(dir, vkey, head.size, stored)
	checkNothingElse(dir, head.size)
	return head.size
}

// The newest checkpoint that the log's witnesses made final, if there is one: the same log, as it was then.
func checkFinal(dir, vkey string, size int64, stored hashes) {
	path := filepath.Join(dir, "checkpoint.final")
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return
	}
	final, err := openCheckpoint(path, vkey)
	if err != nil {
		problem("checkpoint.final: %v", err)
		return
	}
	root, err := rootOf(final.size, stored)
	if final.size > size || err != nil || root != final.root {
		problem("checkpoint.final: the first %d entries do not give the root that was cosigned", final.size)
	}
}

func rootOf(size int64, stored hashes) (tlog.Hash, error) {
	if size == 0 {
		return tlog.ParseHash("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
	}
	return tlog.TreeHash(size, stored)
}

// The signature, and the text: origin, size and root, a line each.
func openCheckpoint(path, vkey string) (*checkpoint, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("is missing")
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	opened, err := note.Open(content, note.VerifierList(verifier))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return nil, fmt.Errorf("is no checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return nil, fmt.Errorf("has no size")
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return nil, fmt.Errorf("has no root")
	}
	head := &checkpoint{origin: lines[0], size: size}
	copy(head.root[:], root)
	return head, nil
}

// tile/<level>/<N>[.p/<width>]; N in groups of three digits, all but the last with an x before.
func tilePath(level string, n int64, width int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	path = "tile/" + level + "/" + path
	if width < tileWidth {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

// Calls visit for every tile of one level of a tree.
func eachTile(size int64, level uint, visit func(n int64, width int)) {
	count := size >> (tileHeight * level)
	for n := int64(0); n<<tileHeight < count; n++ {
		width := count - n<<tileHeight
		if width > tileWidth {
			width = tileWidth
		}
		visit(n, int(width))
	}
}

// False when a bundle cannot be used, so that nothing behind it can be numbered.
func readEntries(dir string, size int64) (hashes, bool) {
	var stored hashes
	ok := true
	eachTile(size, 0, func(n int64, width int) {
		path := tilePath("entries", n, width)
		if !ok {
			return
		}
		content, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			problem("%s: is missing", path)
			ok = false
			return
		}
		entries := splitBundle(content)
		if len(entries) != width {
			problem("%s: does not hold %d whole entries", path, width)
			ok = false
			return
		}
		for i, entry := range entries {
			index := n*tileWidth + int64(i)
			if len(entry) != entrySize || entry[0] != 1 || entry[1] < 1 || entry[1] > 24 {
				problem("entry %d: is of no known version or kind", index)
			}
			added, err := tlog.StoredHashes(index, entry, stored)
			if err != nil {
				problem("entry %d: %v", index, err)
				ok = false
				return
			}
			stored = append(stored, added...)
		}
	})
	return stored, ok
}

// The entries of a bundle, each with its length before it; nil when it does not end with an entry.
func splitBundle(content []byte) [][]byte {
	var entries [][]byte
	for len(content) > 0 {
		if len(content) < 2 {
			return nil
		}
		length := int(binary.BigEndian.Uint16(content))
		if len(content) < 2+length {
			return nil
		}
		entries = append(entries, content[2:2+length])
		content = content[2+length:]
	}
	return entries
}

func checkTiles(dir string, size int64, stored hashes) {
	for level := uint(0); size>>(tileHeight*level) > 0; level++ {
		eachTile(size, level, func(n int64, width int) {
			path := tilePath(strconv.Itoa(int(level)), n, width)
			content, err := os.ReadFile(filepath.Join(dir, path))
			if err != nil {
				problem("%s: is missing", path)
				return
			}
			tile := tlog.Tile{H: tileHeight, L: int(level), N: n, W: width}
			computed, err := tlog.ReadTileData(tile, stored)
			if err != nil {
				problem("%s: %v", path, err)
			} else if place := firstDifference(content, computed); place >= 0 {
				first := (n*tileWidth + int64(place)) << (tileHeight * level)
				problem("%s: hash %d, over entry %d on, is not what the entries give", path, place, first)
			}
		})
	}
}

// The number of the first hash that differs, or -1.
func firstDifference(content, computed []byte) int {
	for i := 0; i*tlog.HashSize < len(computed); i++ {
		from, to := i*tlog.HashSize, (i+1)*tlog.HashSize
		if len(content) < to || !bytes.Equal(content[from:to], computed[from:to]) {
			return i
		}
	}
	if len(content) != len(computed) {
		return len(computed) / tlog.HashSize
	}
	return -1
}

// A file that belongs to no tree of this size has no business in an export.
func checkNothingElse(dir string, size int64) {
	expected := map[string]bool{"checkpoint": true, "checkpoint.final": true, "log.vkey": true}
	for level := uint(0); size>>(tileHeight*level) > 0; level++ {
		eachTile(size, level, func(n int64, width int) {
			expected[tilePath(strconv.Itoa(int(level)), n, width)] = true
			if level == 0 {
				expected[tilePath("entries", n, width)] = true
			}
		})
	}
	_ = filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			problem("%s: %v", path, err)
			return nil
		}
		name, _ := filepath.Rel(dir, path)
		if !info.IsDir() && !expected[name] {
			problem("%s: belongs to no export of %d entries", name, size)
		}
		return nil
	})
}
