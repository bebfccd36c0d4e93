%% releases: 29
%% The module zstd: contexts, streams, parameters, dictionaries, headers, whose a context is.
-module(t_zstd).
-include("diff.hrl").

iob(X) -> iolist_to_binary(X).

%% A dictionary that `zstd --train` has made.
dict() ->
    base64:decode(<<"N6Qw7MbTVnsfENhBUugMwzAMgy+qFhA5BSuJlpaSlDJJ2aAniGs+AXMAAEBsoFi3mgEAAARgxcAHhUrZSU0FRrku4xQjgAAEAAAAAAAAAAAAAAAAAGSV8OAOzTPMAAEAAAAAAAAAAAABAAAABAAAAAgAAAAidmFsdWUgdXNlciIsImlkIjp9CnsibmFtZSI6IjQxNnVzZXJ9CnZhbHVlIHVzZXJ9CiI6dXNlciIsImlkIjp9CnVzZXJ7Im5hbWUiOiJ9Cn0KIiwiaWQiOnVzZXJ1c2VydmFsNzEwdXNlciIsImlkIjp9CnZhbHVlIH0KdXNlcnsibmFtZSI6InZhbHVlIH0KeyJuYW1tZSI6In0KdXNlcnZhbHVlIHVzZXJ1c2VydXNlcn0KdXNlcnsibmFtZSI6In0KIiwiaXsibmFtZSI6In0KeyJuYW1lIjoidXNlcnVzZXJ1c2VyIiwiaWQiOnVzZXJ9CiIsImlkZXIiLCJpZCI6fQp9CnZhbHVlICIsImlkIjp2YWx1ZSB9Cg==">>).

%% Bytes that hardly compress, always the same.
noise(N) ->
    noise(N, 12345, []).

noise(0, _, Acc) -> iob(Acc);
noise(N, S, Acc) ->
    S1 = (S * 1103515245 + 12345) band 16#7fffffff,
    noise(N - 1, S1, [S1 bsr 16 band 255 | Acc]).

text(N) -> iob(lists:duplicate(N, <<"value user{\"name\":\"user\",\"id\":17}\n">>)).

sum(B) -> {iolist_size(B), erlang:md5(B)}.

%% Sizes of the parts that there are.
sizes(L) -> [byte_size(B) || B <- L].

cases() ->
    [{simple, fun() ->
          [begin Z = zstd:compress(D), {iob(Z), zstd:decompress(Z)} end || D <- [<<>>, [], [<<>>, [<<>>]], <<"abc">>, "abc", [<<"a">>, "b", [<<"c">>]], text(100)]] end},
     {large, fun() ->
          [begin
               D = F(N), Z = zstd:compress(D, #{compressionLevel => L}), R = zstd:decompress(Z),
               {sum(Z), sizes(Z), sizes(R), iob(R) =:= D}
           end || F <- [fun text/1, fun noise/1], N <- [5000, 70000, 400000], L <- [-5, 0, 3]] end},
     {high_levels, fun() ->
          [begin D = text(20000), Z = zstd:compress(D, #{compressionLevel => L}), {sum(Z), iob(zstd:decompress(Z)) =:= D} end || L <- [7, 19, 22]] end},
     {many_parts, fun() ->
          D = [text(1000), noise(1000), "list", [text(10) | <<"tail">>]],
          Z = zstd:compress(D), {sum(Z), iob(zstd:decompress([<<B>> || <<B>> <= iob(Z)])) =:= iob(D)} end},
     {several_frames, fun() ->
          Z = iob([zstd:compress("one"), zstd:compress(text(3)), zstd:compress("three")]), zstd:decompress(Z) end},
     {very_compressible, fun() ->
          D = binary:copy(<<0>>, 50000000), Z = zstd:compress(D), R = zstd:decompress(Z), {sum(Z), sizes(Z), length(R), iob(R) =:= D} end},
     {malformed, fun() ->
          Z = iob(zstd:compress(text(50), #{checksumFlag => true})),
          Wrong = fun(At) -> <<A:At/binary, X, B/binary>> = Z, <<A/binary, (X bxor 85), B/binary>> end,
          [cr(fun() -> iob(zstd:decompress(B)) end) || B <- [<<"abc">>, <<"abcdefghijklmnop">>, <<>>, binary:part(Z, 0, 5), binary:part(Z, 0, 12)] ++
               [Wrong(I) || I <- [0, 4, 6, byte_size(Z) - 1]] ++ [<<16#27, 16#b5, 16#2f, 16#fd, 0:80>>, <<16#184d2a50:32/little, 3:32/little, "abc">>]] end},
     {errors, fun() ->
          [c(fun() -> F() end) || F <- [fun() -> zstd:compress(id(a)) end, fun() -> zstd:compress(<<1:3>>) end, fun() -> zstd:decompress(id([a])) end, fun() -> zstd:compress(<<>>, #{nokey => 1}) end,
              fun() -> zstd:context(id(x)) end, fun() -> zstd:compress(<<>>, make_ref()) end, fun() -> zstd:set_parameter(id(x), a, b) end, fun() -> zstd:get_parameter(id(x), a) end,
              fun() -> zstd:set_parameter({compress, make_ref()}, compressionLevel, 1) end, fun() -> zstd:finish({decompress, make_ref()}, <<>>) end]] end},
     {stream, fun() ->
          {ok, C} = zstd:context(compress),
          A = zstd:stream(C, <<"abc">>), B = zstd:stream(C, ["d", <<"ef">>, "gh"]), F = zstd:finish(C, <<"end">>),
          {continue, A1} = A, {continue, B0, B1} = case B of {continue, _} -> {continue, [], element(2, B)}; _ -> B end, {done, F1} = F,
          {A, B, F, B0, cr(fun() -> zstd:decompress([A1, B1, F1]) end)} end},
     {stream_list, fun() ->
          {ok, C} = zstd:context(compress),
          Big = text(10), {continue, Rest, O1} = zstd:stream(C, [Big, Big, Big]),
          {done, O2} = zstd:finish(C, Rest), {length(Rest), sum([O1, O2]), iob(zstd:decompress([O1, O2])) =:= iob([Big, Big, Big])} end},
     {stream_empty, fun() -> {ok, C} = zstd:context(compress), {ok, D} = zstd:context(decompress), [zstd:stream(C, []), zstd:finish(C, []), zstd:finish(C, <<>>), zstd:stream(D, []), zstd:finish(D, []), zstd:finish(D, <<>>)] end},
     {stream_large, fun() ->
          {ok, C} = zstd:context(compress), D = noise(400000),
          {continue, Rest, O1} = zstd:stream(C, D), {done, O2} = zstd:finish(C, Rest),
          {byte_size(Rest), sizes([O1 | O2]), sum([O1, O2]), iob(zstd:decompress([O1, O2])) =:= D} end},
     {flush, fun() ->
          {ok, C} = zstd:context(compress), {ok, D} = zstd:context(decompress),
          A = zstd:stream(C, text(3)), B = zstd:flush(C), E = zstd:flush(C),
          {continue, A1} = A, {continue, B1} = B,
          R1 = zstd:stream(D, [A1, B1]), {done, F} = zstd:finish(C, <<"end">>), R2 = zstd:finish(D, F),
          {A, B, E, R1, F, R2, cr(fun() -> zstd:flush(D) end)} end},
     {flush_large, fun() ->
          {ok, C} = zstd:context(compress), N = noise(300000), {continue, Rest, O1} = zstd:stream(C, N), {continue, O2} = zstd:stream(C, Rest), {continue, O3} = zstd:flush(C), {done, O4} = zstd:finish(C, []),
          {sizes([O1, O2, O3 | O4]), iob(zstd:decompress([O1, O2, O3, O4])) =:= N} end},
     {decompress_stream, fun() ->
          Z = iob(zstd:compress(text(20))), <<A:9/binary, B:9/binary, E/binary>> = Z, {ok, D} = zstd:context(decompress),
          R1 = [zstd:stream(D, A), zstd:stream(D, B), zstd:finish(D, E)],
          R2 = [zstd:stream(D, A), zstd:reset(D), zstd:stream(D, [A, B]), zstd:stream(D, E), zstd:finish(D, <<>>)],
          R3 = [zstd:stream(D, A), zstd:finish(D, <<>>), cr(fun() -> zstd:stream(D, B) end), zstd:finish(D, Z)], {R1, R2, R3} end},
     {decompress_large_stream, fun() ->
          D = text(100000), Z = iob(zstd:compress(D)), {ok, C} = zstd:context(decompress),
          {continue, Rest, O} = zstd:stream(C, Z), {done, L} = zstd:finish(C, Rest), {byte_size(Rest), sizes([O | L]), iob([O, L]) =:= D} end},
     {reset, fun() ->
          {ok, C} = zstd:context(compress, #{checksumFlag => true}), X = zstd:stream(C, <<"abc">>), zstd:reset(C), Y = zstd:finish(C, <<"d">>), {X, Y, zstd:decompress(element(2, Y))} end},
     {close, fun() ->
          {ok, C} = zstd:context(compress), {ok, D} = zstd:context(decompress), R = [zstd:close(C), zstd:close(D)],
          {R, [c(F) || F <- [fun() -> zstd:close(C) end, fun() -> zstd:stream(C, <<>>) end, fun() -> zstd:reset(D) end, fun() -> zstd:decompress(<<>>, D) end, fun() -> zstd:get_parameter(C, compressionLevel) end]],
           spawned(fun() -> cr(fun() -> zstd:reset(C) end) end)} end},
     {kinds, fun() ->
          {ok, {compress, C}} = zstd:context(compress), {ok, {decompress, D}} = zstd:context(decompress),
          [cr(F) || F <- [fun() -> zstd:stream({compress, D}, <<>>) end, fun() -> zstd:stream({decompress, C}, <<>>) end, fun() -> zstd:get_dict_id({cdict, C}) end, fun() -> zstd:stream({compress, C}, <<1:3>>) end,
              fun() -> zstd:stream({decompress, D}, a) end, fun() -> zstd:stream({compress, C}, a) end, fun() -> zstd:stream({compress, a}, <<>>) end]] end},
     {owner, fun() ->
          {ok, C} = zstd:context(compress), {ok, D} = zstd:context(decompress),
          spawned(fun() -> [cr(F) || F <- [fun() -> zstd:stream(C, <<"a">>) end, fun() -> zstd:finish(D, <<"a">>) end, fun() -> zstd:reset(C) end, fun() -> zstd:close(D) end, fun() -> zstd:compress(<<>>, C) end,
              fun() -> zstd:set_parameter(C, compressionLevel, 1) end, fun() -> zstd:set_parameter(C, dictionary, <<>>) end, fun() -> zstd:set_parameter(C, nothing, 0) end, fun() -> zstd:get_parameter(D, windowLogMax) end,
              fun() -> zstd:set_parameter(D, windowLogMax, a) end]] end) end},
     {parameters, fun() ->
          {ok, C} = zstd:context(compress),
          P = [{compressionLevel, 5}, {windowLog, 10}, {hashLog, 6}, {chainLog, 6}, {searchLog, 1}, {minMatch, 5}, {targetLength, 5}, {strategy, fast}, {targetCBlockSize, 5}, {enableLongDistanceMatching, true},
               {ldmHashLog, 6}, {ldmMinMatch, 6}, {ldmBucketSizeLog, 5}, {ldmHashRateLog, 5}, {contentSizeFlag, false}, {checksumFlag, true}, {dictIDFlag, false}],
          Get = fun() -> [{K, zstd:get_parameter(C, K)} || {K, _} <- P] end,
          A = Get(), R = [zstd:set_parameter(C, K, V) || {K, V} <- P],
          {A, R, Get(), zstd:finish(C, text(30))} end},
     {parameter_values, fun() ->
          {ok, C} = zstd:context(compress), {ok, D} = zstd:context(decompress),
          [{K, V, cr(fun() -> zstd:set_parameter(C, K, V) end), cr(fun() -> zstd:get_parameter(C, K) end)} ||
              {K, V} <- [{compressionLevel, 100}, {compressionLevel, -1000000}, {compressionLevel, a}, {compressionLevel, 1 bsl 40}, {windowLog, 99}, {windowLog, 1}, {windowLog, -1}, {hashLog, 1000}, {minMatch, 2}, {targetCBlockSize, -5},
                         {strategy, id(1)}, {strategy, nothing}, {strategy, default}, {checksumFlag, 1}, {checksumFlag, perhaps}, {nokey, 1}, {"list", 1}, {ldmHashRateLog, 99}, {dictionary, a}, {pledgedSrcSize, -1}, {pledgedSrcSize, 1 bsl 64}]] ++
          [{K, V, cr(fun() -> zstd:set_parameter(D, K, V) end), cr(fun() -> zstd:get_parameter(D, K) end)} || {K, V} <- [{windowLogMax, 10}, {windowLogMax, 0}, {windowLogMax, 99}, {windowLogMax, a}, {compressionLevel, 1}, {compressionLevel, a}]] end},
     {strategies, fun() -> {ok, C} = zstd:context(compress), [{S, zstd:set_parameter(C, strategy, S), zstd:get_parameter(C, strategy), sum(zstd:compress(text(300), C))} || S <- [default, fast, dfast, greedy, lazy, lazy2, btlazy2, btopt, btultra, btultra2]] end},
     {parameter_in_stream, fun() -> {ok, C} = zstd:context(compress), zstd:stream(C, <<"abc">>), [cr(fun() -> zstd:set_parameter(C, K, V) end) || {K, V} <- [{compressionLevel, 9}, {checksumFlag, true}, {dictionary, dict()}, {pledgedSrcSize, 10}]] end},
     {window, fun() ->
          Z = zstd:compress(text(100000), #{windowLog => 20, contentSizeFlag => false}), [cr(fun() -> sum(zstd:decompress(Z, #{windowLogMax => N})) end) || N <- [10, 19, 20]] end},
     {pledge, fun() ->
          {ok, C} = zstd:context(compress), A = binary:copy(<<"a">>, 10000),
          Whole = fun(Size) -> case Size of no -> ok; _ -> zstd:set_parameter(C, pledgedSrcSize, Size) end, {continue, O1} = zstd:stream(C, A), {done, O2} = zstd:finish(C, A), {zstd:get_frame_header([O1, O2]), sum([O1, O2])} end,
          [cr(fun() -> Whole(S) end) || S <- [no, 20000, 20, 20001, no]] end},
     {dictionary, fun() ->
          Dict = dict(), {ok, C} = zstd:dict(compress, Dict), {ok, D} = zstd:dict(decompress, Dict), {ok, C9} = zstd:dict(compress, Dict, #{compressionLevel => 9}),
          Z = [iob(zstd:compress(text(2), #{dictionary => X})) || X <- [Dict, C, C9]],
          {[zstd:get_dict_id(X) || X <- [Dict, C, D, C9 | Z]], Z, [zstd:decompress(X, #{dictionary => Y}) || X <- Z, Y <- [D, Dict]], [cr(fun() -> zstd:decompress(X) end) || X <- Z],
           zstd:compress(text(2), #{dictionary => C, dictIDFlag => false})} end},
     {dictionary_kept, fun() ->
          {ok, C} = zstd:context(compress), {ok, D} = zstd:context(decompress),
          (fun() -> {ok, X} = zstd:dict(compress, dict()), {ok, Y} = zstd:dict(decompress, dict()), zstd:set_parameter(C, dictionary, X), zstd:set_parameter(D, dictionary, Y) end)(),
          garbage_collect(), Z = [zstd:compress(text(N), C) || N <- [1, 2, 3]], garbage_collect(), {Z, [zstd:decompress(X, D) || X <- Z], zstd:set_parameter(C, dictionary, <<>>), zstd:compress(text(1), C)} end},
     {dictionary_raw, fun() ->
          Raw = text(4), {ok, C} = zstd:dict(compress, Raw), {ok, D} = zstd:dict(decompress, Raw), Z = zstd:compress(text(5), #{dictionary => C}),
          {zstd:get_dict_id(Raw), zstd:get_dict_id(C), Z, zstd:decompress(Z, #{dictionary => D}), zstd:decompress(Z, #{dictionary => [Raw]})} end},
     {dictionary_large, fun() ->
          Raw = noise(300000), {ok, C} = zstd:dict(compress, Raw), Z = zstd:compress([Raw, "end"], #{dictionary => C}), Y = zstd:compress([Raw, "end"], #{dictionary => Raw}),
          {iolist_size(Z), iolist_size(Y), iob(zstd:decompress(Z, #{dictionary => Raw})) =:= iob([Raw, "end"])} end},
     {dictionary_errors, fun() ->
          {ok, CD} = zstd:dict(compress, dict()), {ok, DD} = zstd:dict(decompress, dict()), {ok, C} = zstd:context(compress), {ok, D} = zstd:context(decompress),
          <<Magic:12/binary, _/binary>> = dict(), Bad = <<Magic/binary, 0:200>>,
          [cr(F) || F <- [fun() -> zstd:set_parameter(C, dictionary, DD) end, fun() -> zstd:set_parameter(D, dictionary, CD) end, fun() -> zstd:dict(compress, [1, 2]) end, fun() -> zstd:dict(decompress, [1, 2]) end,
              fun() -> zstd:dict(compress, dict(), #{compressionLevel => a}) end, fun() -> zstd:dict(nothing, dict()) end, fun() -> element(2, element(2, zstd:dict(compress, Bad))) end, fun() -> element(2, element(2, zstd:dict(decompress, Bad))) end,
              fun() -> zstd:compress(<<"a">>, #{dictionary => Bad}) end, fun() -> zstd:set_parameter(D, dictionary, Bad) end, fun() -> zstd:get_dict_id(id(a)) end, fun() -> zstd:get_dict_id({cdict, a}) end, fun() -> zstd:get_dict_id({ddict, make_ref()}) end]] end},
     {frame_header, fun() ->
          [zstd:get_frame_header(F) || F <- [zstd:compress(<<"abc">>), zstd:compress(text(100)), iob(zstd:compress(text(100000))), zstd:compress(text(2), #{dictionary => dict(), checksumFlag => true}),
              zstd:compress(noise(1000), #{contentSizeFlag => false, windowLog => 12}), <<16#184d2a53:32/little, 7:32/little, "abcdefg">>, <<"garbage and more">>, "list and more!"]] end},
     {frame_header_errors, fun() -> [c(fun() -> zstd:get_frame_header(X) end) || X <- [id(a), [a], <<1:3>>, {}]] end},
     {used_again, fun() ->
          {ok, C} = zstd:context(compress, #{compressionLevel => 15}), {ok, D} = zstd:context(decompress), [begin Z = zstd:compress(text(N), C), iob(zstd:decompress(Z, D)) =:= text(N) end || N <- [1, 50, 5000, 2]] end},
     {iodata_parts, fun() -> Z = zstd:compress(text(500), #{compressionLevel => 1}), B = iob(Z), <<_:3, U/bits>> = <<0:3, B/binary>>, iob(zstd:decompress(U)) =:= text(500) end},
     {many_at_once, fun() ->
          Self = self(), Ps = [spawn_link(fun() -> D = text(1000 * N), Z = zstd:compress(D, #{compressionLevel => N}), Self ! {self(), sum(Z), iob(zstd:decompress(Z)) =:= D} end) || N <- lists:seq(1, 12)],
          [receive {P, S, E} -> {S, E} end || P <- Ps] end},
     {killed_meanwhile, fun() ->
          {P, M} = spawn_monitor(fun() -> zstd:compress(noise(2000000), #{compressionLevel => 19}) end), receive after 30 -> ok end, exit(P, kill),
          receive {'DOWN', M, process, P, R} -> {R =:= killed orelse R, iob(zstd:decompress(zstd:compress(<<"on">>)))} end end} ].

spawned(F) ->
    Self = self(),
    P = spawn_link(fun() -> Self ! {self(), F()} end),
    receive {P, R} -> R end.
