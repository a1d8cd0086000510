import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** Does with Java's HttpClient what client.py beside it does with httpx. */
public class Client {
	static final AtomicLong answers = new AtomicLong();
	static final Map<String, Integer> errors = new ConcurrentHashMap<>();
	static final CountDownLatch ended = new CountDownLatch(1);
	static HttpClient client;

	public static void main(String[] args) throws Exception {
		System.setProperty("jdk.internal.httpclient.disableHostnameVerification", "true");
		SSLContext tls = SSLContext.getInstance("TLS");
		tls.init(null, new TrustManager[] {new TrustAll()}, null);
		client = HttpClient.newBuilder().sslContext(tls).connectTimeout(Duration.ofMinutes(1))
				.build();
		int loops = Integer.parseInt(args[1]);
		long pause = (long) (1000 * Double.parseDouble(args[2]));
		HttpRequest good = post(args, "{\"ticker\":\"AAPL\",\"days_ahead\":5}");
		ask(good, 200);
		System.out.println("asking");
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < loops; i++) {
			threads.add(loop(good, 200, pause));
		}
		if (loops > 1) {
			threads.add(loop(post(args, " ".repeat(100_000)), 413, 20));
		}
		while (System.in.read() >= 0) {
		}
		ended.countDown();
		for (Thread t : threads) {
			t.join();
		}
		System.out.println("{\"answers\": " + answers + ", \"errors\": {" + errors.entrySet()
				.stream().map(e -> "\"" + e.getKey().replace('"', '\'') + "\": " + e.getValue())
				.collect(Collectors.joining(", ")) + "}}");
	}

	static HttpRequest post(String[] args, String body) {
		return HttpRequest.newBuilder(URI.create(args[0])).timeout(Duration.ofSeconds(20))
				.header("Content-Type", "application/json").header("X-Request-Id", args[3])
				.POST(HttpRequest.BodyPublishers.ofString(body)).build();
	}

	static Thread loop(HttpRequest request, int want, long pause) {
		Thread t = new Thread(() -> {
			try {
				while (!ended.await(pause, TimeUnit.MILLISECONDS)) {
					ask(request, want);
				}
			} catch (InterruptedException e) {
				fail("interrupted");
			}
		});
		t.start();
		return t;
	}

	static void ask(HttpRequest request, int want) {
		try {
			var r = client.send(request, HttpResponse.BodyHandlers.ofString());
			if (r.statusCode() == want && r.version() == HttpClient.Version.HTTP_2) {
				answers.incrementAndGet();
			} else {
				fail(r.version() + " " + r.statusCode());
			}
		} catch (Exception e) {
			fail(e.toString().replaceAll("/?127[0-9.:]+ ?", ""));
		}
	}

	static void fail(String why) {
		errors.merge(why, 1, Integer::sum);
	}

	static class TrustAll extends X509ExtendedTrustManager {
		public void checkClientTrusted(X509Certificate[] c, String s) {}

		public void checkClientTrusted(X509Certificate[] c, String s, Socket k) {}

		public void checkClientTrusted(X509Certificate[] c, String s, SSLEngine e) {}

		public void checkServerTrusted(X509Certificate[] c, String s) {}

		public void checkServerTrusted(X509Certificate[] c, String s, Socket k) {}

		public void checkServerTrusted(X509Certificate[] c, String s, SSLEngine e) {}

		public X509Certificate[] getAcceptedIssuers() {
			return new X509Certificate[0];
		}
	}
}
