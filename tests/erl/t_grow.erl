%% Large binaries that are appended to: they grow where they are, and whoever looks at them meanwhile sees what they were.
-module(t_grow).
-include("diff.hrl").

cases() ->
    [{parts_stay, fun() ->
         B1 = appended(base(1100000), 3),
         Part = binary:part(B1, 1000000, 100),
         B2 = appended(B1, 3000000),
         B3 = appended(B2, 3000000),
         {byte_size(B1), sum(Part), sum(B1), sum(B2), sum(B3), binary:part(B3, 1000000, 100) =:= Part}
     end},
     {two_ways_on, fun() ->
         B = appended(base(2000000), 1),
         X = <<B/binary, 1, 2, 3>>,
         Y = <<B/binary, 4, 5>>,
         X2 = appended(X, 5000000),
         Y2 = appended(Y, 5000000),
         {sum(B), sum(X), sum(Y), sum(X2), sum(Y2)}
     end},
     {matched_meanwhile, fun() ->
         B = appended(base(1500000), 1),
         {Rest, Longer} = walk(B, B, 0),
         {byte_size(Rest), sum(Rest), sum(Longer)}
     end},
     {bits, fun() ->
         B = bits(base(1200000), 200000),
         {bit_size(B), erlang:phash2(B)}
     end},
     {other_processes, fun() ->
         B = appended(base(1500000), 1),
         Me = self(),
         Ps = [spawn_link(fun() -> Me ! {self(), sum(appended(<<B/binary, N>>, 4000000))} end) || N <- lists:seq(1, 4)],
         {[receive {P, S} -> S end || P <- Ps], sum(B)}
     end},
     {literal_or_table, fun() ->
         B = appended(base(1500000), 1),
         T = ets:new(t, []),
         ets:insert(T, {b, B}),
         C = appended(B, 4000000),
         [{b, D}] = ets:lookup(T, b),
         ets:delete(T),
         {sum(D), sum(C), sum(appended(D, 10))}
     end},
     {comprehension, fun() ->
         B = base(3000000),
         {sum(<< <<(X bxor 1)>> || <<X>> <= B >>), sum(<< <<X:7>> || <<X>> <= binary:part(B, 0, 2400000) >>)}
     end},
     {collected_between, fun() ->
         B = lists:foldl(fun(N, Acc) -> N rem 40 =:= 0 andalso erlang:garbage_collect(), <<Acc/binary, (base(50000))/binary>> end, <<>>, lists:seq(1, 200)),
         sum(B)
     end},
     {text, fun() ->
         L = [[N rem 300, <<"abc", 195, 165>>] || N <- lists:seq(1, 400000)],
         [sum(unicode:characters_to_binary(L, utf8, E)) || E <- [utf8, utf16, {utf32, little}]]
     end},
     {term_format, fun() ->
         L = [{N, N * 70000, float(N), <<N:40>>, [a | N]} || N <- lists:seq(1, 100000)],
         [begin B = term_to_binary(L, O), {binary_to_term(B) =:= L, O =:= [] andalso sum(B)} end || O <- [[], [compressed], [{compressed, 1}], [{minor_version, 1}]]]
     end}].

base(N) -> binary:copy(<<"0123456789">>, N div 10).

%% B and N bytes more, appended in pieces of different length.
appended(B, N) when N =< 0 -> B;
appended(B, N) ->
    Size = min(N, 1 + N rem 70001),
    More = binary:copy(<<(N band 255)>>, Size),
    appended(<<B/binary, More/binary>>, N - Size).

bits(B, 0) -> B;
bits(B, N) -> bits(<<B/bitstring, N:11>>, N - 1).

%% Appends to a binary while the same one is matched.
walk(<<_:100000/binary, Rest/binary>>, Acc, N) when N < 10 -> walk(Rest, appended(<<Acc/binary, N>>, 400000), N + 1);
walk(Rest, Acc, _) -> {Rest, Acc}.

sum(B) -> {bit_size(B), erlang:phash2(B)}.
