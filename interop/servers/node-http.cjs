// Node's http server as the first seed document has it: an implicit global `interval`, `req.connection`, a page for every
// other path. Changed: port, interval and event type come from the environment, and it says where it listens.
    var http = require("http");
    var fs = require('fs')
    var INTERVAL_MS = Number(process.env.INTERVAL_MS || 6000);
    http.createServer(function (req, res) {

        var fileName = "." + req.url;
        if (fileName === "./sse") {
            res.writeHead(200, {"Content-Type":"text/event-stream", 
                                "Cache-Control":"no-cache", 
                                "Connection":"keep-alive"});
            res.write("retry: 6000\n");
            res.write("data: " + (new Date()) + "\n\n");
            if (process.env.VARIANT === "timeMessage") {
                interval = setInterval(function() {
                    res.write("event: timeMessage\n");
                    res.write("data: " + (new Date()) + "\n\n");
                }, INTERVAL_MS);
            } else {
                interval = setInterval(function() {
                    res.write("data: " + (new Date()) + "\n\n");
                }, INTERVAL_MS);
            }

            req.connection.addListener("close", function () {
                console.log('customer close')
                clearInterval(interval);
            }, false);
            return
    }

    res.end(fs.readFileSync('./index.html'))
    console.log('listening.......')
    }).listen(Number(process.env.PORT || 0), "127.0.0.1", function () {
        console.log("http://127.0.0.1:" + this.address().port)
    });
