// Send one SMS under a key that every language derives alike. Needs Java 17 or newer and nothing else: java Send.java
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Send {
    private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    public static void main(String[] arguments) throws Exception {
        String form = "grant_type=client_credentials"
            + "&client_id=" + URLEncoder.encode(setting("REDCLOUD_CLIENT_ID"), StandardCharsets.UTF_8)
            + "&client_secret=" + URLEncoder.encode(setting("REDCLOUD_CLIENT_SECRET"), StandardCharsets.UTF_8);
        String token = call(request("/api/auth/token")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(form)));
        String authorization = "Bearer " + first(token, "access_token");

        String numbers = call(request("/api/core/numbers").header("Authorization", authorization).GET());
        String message = """
            {"sendFrom": "%s", "to": ["+15551234567"], "messageType": "SMS", "text": "Your order is on its way",
             "externalReference": "order_789"}""".formatted(first(numbers, "numberId"));
        // Without an answer the message may be queued all the same: send these bytes again, under this key.
        String receipt = call(request("/api/core/messages/send")
            .header("Authorization", authorization)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", derive("", "order", 789, "shipped"))
            .POST(BodyPublishers.ofString(message)));
        System.out.println(receipt);
    }

    /** The same as IdempotencyKey.derive: vectors/idempotency.json has examples. Parts are texts and integers. */
    static String derive(String namespace, Object... parts) throws Exception {
        MessageDigest hash = MessageDigest.getInstance("SHA-256");
        add(hash, namespace);
        for (Object part : parts) {
            add(hash, part.toString());
        }
        return "rc1-" + HexFormat.of().formatHex(hash.digest()).substring(0, 40);
    }

    private static void add(MessageDigest hash, String text) throws Exception {
        ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text)); // no half characters
        hash.update((bytes.remaining() + ":").getBytes(StandardCharsets.UTF_8));
        hash.update(bytes);
    }

    private static String setting(String name) {
        String value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalStateException(name + " is not set");
        }
        return value;
    }

    private static HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(setting("REDCLOUD_BASE_URL") + path));
    }

    private static String call(HttpRequest.Builder request) throws Exception {
        var response = HTTP.send(request.build(), BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) {
            throw new IllegalStateException(response.uri() + ": " + response.statusCode() + " " + response.body());
        }
        return response.body();
    }

    /** Java has no JSON of its own; a real program takes a library for this. */
    private static String first(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"\\\\]+)\"").matcher(json);
        if (!found.find()) {
            throw new IllegalStateException("no " + name + " in " + json);
        }
        return found.group(1);
    }
}
