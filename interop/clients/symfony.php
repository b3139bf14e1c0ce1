<?php
// Symfony's Mercure component and its HTTP client, with tokens that the hub's key signs. `publish HUB KEY GRANT UPDATE`, an update as
// JSON, prints the ID. `subscribe URL KEY GRANT header|cookie|none` parses the data of each event as JSON, prints the event as a line of
// JSON, `thrown` being the error of the parser, and goes on by itself.
declare(strict_types=1);

require_once 'Symfony/Component/Mercure/autoload.php';

use Symfony\Component\HttpClient\Chunk\ServerSentEvent;
use Symfony\Component\HttpClient\EventSourceHttpClient;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\Mercure\Authorization;
use Symfony\Component\Mercure\Hub;
use Symfony\Component\Mercure\HubRegistry;
use Symfony\Component\Mercure\Jwt\FactoryTokenProvider;
use Symfony\Component\Mercure\Jwt\TokenFactoryInterface;
use Symfony\Component\Mercure\Update;

// The component's own factory is for a library that Debian does not have.
final class Tokens implements TokenFactoryInterface
{
    public function __construct(private string $key)
    {
    }

    public function create(?array $subscribe = [], ?array $publish = [], array $additionalClaims = []): string
    {
        if (isset($additionalClaims['exp'])) {
            $additionalClaims['exp'] = $additionalClaims['exp']->getTimestamp();
        }
        $claims = ['mercure' => ['subscribe' => $subscribe, 'publish' => $publish]] + $additionalClaims;
        $signed = self::part(json_encode(['alg' => 'HS256', 'typ' => 'JWT'])).'.'.self::part(json_encode($claims));

        return $signed.'.'.self::part(hash_hmac('sha256', $signed, $this->key, true));
    }

    private static function part(string $bytes): string
    {
        return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    }
}

function publish(string $url, string $key, string $grant, string $json): void
{
    $tokens = new Tokens($key);
    $hub = new Hub($url, new FactoryTokenProvider($tokens, [], [$grant]), $tokens);
    $update = json_decode($json, true);
    ['topics' => $topics, 'data' => $data, 'private' => $private, 'id' => $id, 'type' => $type, 'retry' => $retry] = $update;
    echo $hub->publish(new Update($topics, $data, $private, $id, $type, $retry)), "\n";
}

function subscribe(string $url, string $key, string $grant, string $carrier): void
{
    $tokens = new Tokens($key);
    $hub = new Hub(strtok($url, '?'), new FactoryTokenProvider($tokens, [$grant], []), $tokens);
    $options = match ($carrier) {
        'header' => ['auth_bearer' => $hub->getProvider()->getJwt()],
        'cookie' => ['headers' => ['Cookie' => cookie($hub, $grant)]],
        'none' => [],
    };
    // Until the stream says otherwise it would wait for ten seconds.
    $client = new EventSourceHttpClient(null, 0.1);
    $lastEventId = '';
    for (;;) {
        // Not in a header field: of an attempt that fails, the client keeps no ID but those that it has received by that attempt.
        $source = $client->connect($url.(str_contains($url, '?') ? '&' : '?').'lastEventID='.rawurlencode($lastEventId), $options);
        try {
            foreach ($client->stream($source) as $chunk) {
                if (!$chunk->isTimeout() && $chunk instanceof ServerSentEvent) {
                    $lastEventId = $chunk->getId();
                    show($chunk);
                }
            }
        } catch (LogicException) {
            // Where its first attempt fails and the next one does not, it takes the first event for an error of the application's.
            $source->cancel();
        }
        // After what it takes for a fault it has connected again by itself; after an end that is left to the application.
        usleep((int) (1e6 * $source->getInfo('reconnection_time')));
    }
}

function show(ServerSentEvent $event): void
{
    $thrown = '';
    try {
        json_decode($event->getData(), flags: JSON_THROW_ON_ERROR);
    } catch (JsonException $error) {
        $thrown = $error->getMessage();
    }
    echo json_encode(['type' => $event->getType(), 'data' => $event->getData(), 'id' => $event->getId(), 'thrown' => $thrown]), "\n";
}

// As an application sets it for a page: name and value.
function cookie(Hub $hub, string $grant): string
{
    $request = Request::create($hub->getPublicUrl());
    $cookie = (new Authorization(new HubRegistry($hub)))->createCookie($request, [$grant]);
    if ('/.well-known/mercure' !== $cookie->getPath()) {
        throw new Exception('a cookie for '.$cookie->getPath());
    }

    return $cookie->getName().'='.$cookie->getValue();
}

$what = $argv[1];
$what(...array_slice($argv, 2));
