<?php
// Publishes from PHP: php publish.php [TEXT]
$hub = getenv('FANFARE_HUB') ?: 'http://127.0.0.1:3000';
$token = getenv('FANFARE_TOKEN');

$answer = file_get_contents("$hub/topics/greetings?type=greeting", false, stream_context_create(['http' => [
    'method' => 'POST',
    'header' => array_filter(['Content-Type: application/json', $token ? "Authorization: Bearer $token" : null]),
    'content' => json_encode(['text' => $argv[1] ?? 'hello from PHP']),
]]));
if ($answer === false) {
    exit(1); // PHP has said why
}
echo $answer; // the ID of the update; by now it is on disk
