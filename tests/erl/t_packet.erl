%% erlang:decode_packet/3.
-module(t_packet).
-include("diff.hrl").

types() -> [raw, 0, 1, 2, 4, asn1, sunrm, cdr, fcgi, tpkt, ssl_tls, line, http, httph, http_bin, httph_bin].

d(T, B) -> d(T, B, []).
d(T, B, O) -> cr(fun() -> erlang:decode_packet(T, id(B), O) end).

%% The same for an iolist.
io(T, L) -> d(T, iolist_to_binary(L)).

line(L) -> [io(T, [L, "\r\n", "next"]) || T <- [http, httph]].

%% All prefixes, with bits in front and behind.
cuts(T, B) -> erlang:phash2([d(T, cut(N, K, B)) || N <- lists:seq(0, byte_size(B)), K <- [0]]).
cut(N, K, B) -> W = <<0:K, (binary:part(B, 0, N))/binary, 5:K>>, <<_:K, R/bits>> = W, R.

samples() ->
    [<<>>, <<0>>, <<5, 1, 2, 3, 4, 5, 6, 7>>, <<0, 3, 1, 2, 3, 4, 5>>, <<0, 0, 0, 2, 1, 2, 3>>, <<128, 0, 0, 2, 1, 2, 3>>, <<255, 255, 255, 254, 1>>, <<127, 255, 255, 255, 1>>,
     <<"GIOP", 1, 2, 0, 3, 0, 0, 0, 2, 1, 2, 3>>, <<"GIOP", 1, 2, 1, 3, 2, 0, 0, 0, 1, 2, 3>>, <<"GIOQ", 1, 2, 1, 3, 2, 0, 0, 0, 1, 2, 3>>,
     <<1, 7, 0, 1, 0, 2, 3, 0, 1, 2, 9, 9, 9, 5>>, <<2, 7, 0, 1, 0, 2, 3, 0, 1, 2, 9, 9, 9, 5>>, <<3, 0, 0, 6, 1, 2, 3>>, <<3, 0, 0, 2, 1, 2, 3>>, <<4, 0, 0, 6, 1, 2, 3>>,
     <<22, 3, 1, 0, 2, 7, 8, 9>>, <<128, 5, 1, 3, 0, 1, 2, 3>>, <<128, 2, 1, 3, 0, 1, 2>>, <<48, 3, 1, 2, 3, 4>>, <<48, 130, 0, 3, 1, 2, 3, 4>>, <<48, 128, 1, 2, 0, 0>>,
     <<48, 133, 0, 0, 0, 0, 1, 2>>, <<31, 129, 17, 2, 1, 2, 3>>, <<31, 129>>, <<48, 132, 255, 255, 255, 255, 1>>,
     <<"abc\ndef\n">>, <<"\n">>, <<"\r\nx">>, <<"\r\n">>, <<"A: b\r\n">>, <<"A: b\r\n c\r\nd">>, <<"A: b\n\tc\n\n">>, <<"GET / HTTP/1.1\r\nHost: a\r\n\r\n">>, <<"no end">>].

cases() ->
    [{list_to_atom(lists:concat(["type_", T])), fun() -> [d(T, B) || B <- samples()] end} || T <- types()] ++
    [{sized, fun() -> [d(T, B, [{packet_size, N}]) || T <- types(), B <- samples(), N <- [1, 2, 5, 8]] end},
     {cuts, fun() -> [{T, [cuts(T, B) || B <- samples()]} || T <- types()] end},
     {lines, fun() -> [d(line, B, O) || B <- [<<"abc\ndef">>, <<"abcdefgh">>, <<"abcdefgh\n">>, <<"ab|cd\n">>, <<>>], O <- [[{line_length, N}] || N <- [0, 1, 3, 4, 5, 8, 9, 20]] ++ [[{packet_size, 4}], [{packet_size, 9}], [{packet_size, 8}, {line_length, 3}], [{line_delimiter, $|}], [{line_delimiter, $|}, {line_length, 2}]]] end},
     {bad_types, fun() -> [d(T, <<"abc">>) || T <- [3, -1, 8, a, "line", 1.0, ssl, <<>>]] end},
     {bad_data, fun() -> [d(raw, B) || B <- [a, 1, "abc", [], {}]]  end},
     {bitstrings, fun() -> [d(line, B) || B <- [<<5:3>>, <<"a\n", 1:1>>]] end},
     {bad_options, fun() -> [d(line, <<"ab\n">>, O) || O <- [[a], [{a, 1}], [{packet_size, -1}], [{packet_size, a}], [{packet_size, 1 bsl 32}], [{packet_size, (1 bsl 32) - 1}], [{line_delimiter, 256}], [{line_delimiter, -1}], [{packet_size, 1, 2}]]] end},
     {requests, fun() -> [line(L) || L <- ["GET / HTTP/1.0", "GET /", "GET", "GET ", "", " ", "get / HTTP/1.1", "FOO /x HTTP/1.1", "G(T / HTTP/1.1", "GET  /a   HTTP/1.1", "GET\t/a\tHTTP/1.1", "GET / HTTP/1", "GET / HTTP/11.22", "GET / HTTP/1.1 x", "GET / http/1.1", "GET / HTTP/a.b", "GET /a b HTTP/1.1", "GET * HTTP/1.1", "OPTIONS ** HTTP/1.1", "GET / HTTP/1.1  ", " GET / HTTP/1.1", "TRACE / HTTP/999999.1"]] end},
     {targets, fun() -> [io(http, ["GET ", U, " HTTP/1.1\r\n"]) || U <- ["*", "/", "/a?b#c", "http://h", "http://h/", "http://h:80", "http://h:80/x", "http://h:/x", "http://h:a/x", "http://h:8a/x", "https://h/p", "HTTP://h/p", "HttpS://h", "http:/h", "http://", "https://", "http:///x", "http://[::1]:80/x", "http://[::1]/x", "http://u@h:1/x", "http://h?q", "http://h/x:9", "ftp://h/x", "a:b", ":b", "a:", "x", "h:443", "http", "http://h:99999/x", "*a"]] end},
     {responses, fun() -> [line(L) || L <- ["HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1  200  Very Good ", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1 200 OK", "HTTP/1. 200 OK", "HTTP/.1 200 OK", "HTTP/ 200", "HTTP/1.1 abc", "HTTP/1.1 20a OK", "HTTP/1.1 99999 x", "HTTP", "HTTP/1.1x 200 OK", "http/1.1 200 OK", "HTTP/1.1\t200\tOK", "HTTP/12.34 007 a\tb"]] end},
     {fields, fun() -> [line(L) || L <- ["Host: a", "host:a", "HOST:  a  ", "Host :a", "Host", "Host\t: a", ": a", " a: b", "X-y-z: 1", "x--y---z: 1", "-a: b", "a-: b", "A_b.c!d: e", "a@b: c", "Content-md5: x", "ETag: x", "WWW-Authenticate: x", "TE: x", "a:", "a: ", "a:\tb\tc", "a: b:c", "\200a: b", "a\177: b", "a\1: b"]] end},
     {name_characters, fun() -> [C || C <- lists:seq(0, 255), C =/= $\n, element(1, element(2, erlang:decode_packet(httph, list_to_binary(["a", C, "b: c\r\nx"]), []))) =:= http_header] end},
     {method_characters, fun() -> [C || C <- lists:seq(0, 255), C =/= $\n, element(1, element(2, erlang:decode_packet(http, list_to_binary(["A", C, "B / HTTP/1.1\r\nx"]), []))) =:= http_request] end},
     {case_of_names, fun() -> [io(httph, [lists:duplicate(N, $x), $-, $Y, $Z, ": v\r\nx"]) || N <- [1, 10, 20, 46, 47, 48, 49, 50, 60]] end},
     {binaries, fun() -> [io(T, L) || T <- [http_bin, httph_bin], L <- ["GET http://a:1/b HTTP/1.1\r\nx", "FOO a:b HTTP/1.1\r\nx", "HTTP/1.1 200 OK\r\n", "Host: x\r\nx", "Foo-bar: x\r\nx", "(\r\nx", "\r\n"]] end},
     {rest_shares, fun() -> {ok, P, R} = erlang:decode_packet(2, binary:copy(<<0, 200, 1:1600>>, 3), []), {byte_size(P), byte_size(R), element(1, erlang:decode_packet(2, R, []))} end}].
