// Publishes from Go: go run publish.go [TEXT]
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	hub := cmp.Or(os.Getenv("FANFARE_HUB"), "http://127.0.0.1:3000")
	text := "hello from Go"
	if len(os.Args) > 1 {
		text = os.Args[1]
	}
	data, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		log.Fatal(err)
	}
	request, err := http.NewRequest("POST", hub+"/topics/greetings?type=greeting", bytes.NewReader(data))
	if err != nil {
		log.Fatal(err)
	}
	if token := os.Getenv("FANFARE_TOKEN"); token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(answer.Body)
		log.Fatalf("%s: %s", answer.Status, reason)
	}
	io.Copy(os.Stdout, answer.Body) // the ID of the update; by now it is on disk
}
