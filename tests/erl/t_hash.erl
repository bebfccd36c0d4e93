%% Hashes and checksums.
-module(t_hash).
-include("diff.hrl").

terms() ->
    [0, 1, -1, 255, 65536, 1 bsl 27, 1 bsl 28, -(1 bsl 28), 1 bsl 31, 1 bsl 32, -(1 bsl 32), 1 bsl 58, 1 bsl 59, 1 bsl 60, (1 bsl 60) - 1, -(1 bsl 60), 1 bsl 63, 1 bsl 64, -(1 bsl 64), 1 bsl 100, 1 bsl 200,
     0.0, 1.0, 1.5, -1.5, 1.0e300, a, b, '', abc, 'é', '日本', [], [1], "abc", "a longer string of characters", [a | b], [[], [[]]], [1, 2, 3 | 4], [256, 1], [1, 256],
     {}, {1}, {a, b}, {1, {2, {3}}}, #{}, #{a => 1}, #{1 => 2, 3 => 4}, <<>>, <<1>>, <<"abc">>, <<"a binary of some length, longer than twelve">>, <<1:1>>, <<5:3>>, <<1, 2, 3:5>>,
     fun lists:map/2, fun t_hash:id/1].

bigmap() -> maps:from_list([{I, {I, I * I}} || I <- lists:seq(1, 200)]).

cases() ->
    [{phash2_each, fun() -> [erlang:phash2(T) || T <- terms()] end},
     {phash2_range, fun() -> [erlang:phash2(T, 1000) || T <- terms()] end},
     {phash2_range_max, fun() -> [erlang:phash2(T, 1 bsl 32) || T <- terms()] end},
     {phash_each, fun() -> [erlang:phash(T, 1 bsl 32) || T <- terms(), not is_map(T)] end},
     {phash_small, fun() -> [erlang:phash(T, 17) || T <- terms(), not is_map(T)] end},
     {phash2_bad, fun() -> [c(fun() -> erlang:phash2(a, id(R)) end) || R <- [0, -1, (1 bsl 32) + 1, a, 1.0]] end},
     {phash2_bigmap, fun() -> [erlang:phash2(bigmap()), erlang:phash2(#{bigmap() => bigmap()})] end},
     {phash2_longlist, fun() -> erlang:phash2(lists:seq(1, 10000)) end},
     {phash2_longstring, fun() -> [erlang:phash2(lists:duplicate(N, $x)) || N <- lists:seq(0, 40)] end},
     {phash2_binaries, fun() -> [erlang:phash2(binary:copy(<<"q">>, N)) || N <- lists:seq(0, 40)] end},
     {phash2_bits, fun() -> [erlang:phash2(<<1:N>>) || N <- lists:seq(0, 40)] end},
     {phash2_unaligned, fun() -> [begin <<_:N, B:80/bits, _/bits>> = id(<<"0123456789abcdef">>), erlang:phash2(B) end || N <- lists:seq(0, 9)] end},
     {phash2_big_binary, fun() -> erlang:phash2(binary:copy(<<"0123456789">>, 10000)) end},
     {phash2_bignums, fun() -> [erlang:phash2((1 bsl N) + 1) || N <- lists:seq(24, 140, 4)] ++ [erlang:phash2(-(1 bsl N)) || N <- lists:seq(24, 140, 4)] end},
     {phash2_floats, fun() -> [erlang:phash2(I / 7) || I <- lists:seq(0, 20)] end},
     {phash2_tuples, fun() -> [erlang:phash2(list_to_tuple(lists:seq(1, N))) || N <- lists:seq(0, 20)] end},
     {phash2_atoms, fun() -> [erlang:phash2(A) || A <- [ok, error, true, false, undefined, lists, erlang, 'hello world']] end},
     {phash2_closure_equal, fun() -> Mk = fun(X) -> fun() -> X end end, erlang:phash2(Mk(1)) =:= erlang:phash2(Mk(1)) end},
     {phash2_nested_deep, fun() -> erlang:phash2(lists:foldl(fun(I, A) -> {I, [A]} end, x, lists:seq(1, 1000))) end},
     {phash2_neg_zero, fun() -> erlang:phash2(id(-0.0)) =:= erlang:phash2(id(0.0)) end},
     {crc32, fun() -> [erlang:crc32(X) || X <- [<<>>, <<"a">>, "abc", [<<"ab">>, "c"], binary:copy(<<"xyz">>, 1000)]] end},
     {crc32_2, fun() -> [erlang:crc32(erlang:crc32(<<"hello ">>), <<"world">>), erlang:crc32(<<"hello world">>)] end},
     {crc32_combine, fun() -> erlang:crc32_combine(erlang:crc32(<<"hello ">>), erlang:crc32(<<"world">>), 5) end},
     {adler32, fun() -> [erlang:adler32(X) || X <- [<<>>, <<"a">>, "abc", binary:copy(<<255>>, 10000)]] end},
     {adler32_combine, fun() -> [erlang:adler32_combine(erlang:adler32(<<"hello ">>), erlang:adler32(<<"world">>), 5), erlang:adler32(erlang:adler32("a"), "b")] end},
     {md5, fun() -> [erlang:md5(X) || X <- [<<>>, <<"a">>, "abc", [<<"ab">> | <<"c">>], binary:copy(<<"xyz">>, 1000)]] end},
     {md5_parts, fun() -> C = erlang:md5_init(), C1 = erlang:md5_update(C, <<"hello ">>), C2 = erlang:md5_update(C1, "world"), {erlang:md5_final(C2), erlang:md5_final(C1), erlang:md5(<<"hello world">>)} end},
     {md5_context_size, fun() -> byte_size(erlang:md5_init()) end},
     {md5_context, fun() -> <<H:24/binary, _/binary>> = erlang:md5_init(), C = erlang:md5_update(erlang:md5_init(), <<0:600>>), <<U:40/binary, _/binary>> = C, {H, U, erlang:md5_final(erlang:md5_update(C, <<1, 2>>))} end},
     {md5_context_bad, fun() -> [cr(fun() -> erlang:md5_update(binary:copy(<<0>>, N), <<>>) end) =:= cr(fun() -> erlang:md5_update(binary:copy(<<0>>, 50), <<>>) end) || N <- [0, 16, 24, 87, 88, 91, 92, 95, 96, 97]] end},
     {combine_length, fun() -> [c(fun() -> F(10, 1114112, N) end) || F <- [fun erlang:crc32_combine/3, fun erlang:adler32_combine/3], N <- [0, 1, 1 bsl 31, (1 bsl 32) - 1, 1 bsl 32, (1 bsl 59) - 1, 1 bsl 63, 1 bsl 64]] end},
     {bad, fun() -> [c(fun() -> erlang:crc32(id(a)) end), c(fun() -> erlang:md5(id([a])) end), c(fun() -> erlang:adler32(id(-1), <<>>) end), c(fun() -> erlang:md5_update(id(<<>>), <<>>) end), c(fun() -> erlang:crc32_combine(1, 2, id(-1)) end)] end},
     {crc_unaligned, fun() -> <<_:3, B:64/bits, _/bits>> = id(<<"0123456789">>), [erlang:crc32(B), erlang:adler32(B), erlang:md5(B)] end},
     {crc_bits, fun() -> c(fun() -> erlang:crc32(id(<<1:3>>)) end) end}].
