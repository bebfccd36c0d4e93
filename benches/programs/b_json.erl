%% binaries and maps: a JSON parser and printer.
%% repeat: 1
-module(b_json).
-export([run/0]).
run() ->
    T = iolist_to_binary(["[", lists:join(",", [["{\"id\": ", integer_to_list(I), ", \"name\": \"user ", integer_to_list(I), "\", \"tags\": [\"a\", \"b\\n\", null, true], \"score\": ", integer_to_list(I), ".5}"] || I <- lists:seq(1, 6000)]), "]"]),
    {V, <<>>} = val(T),
    O = iolist_to_binary(enc(V)),
    {V2, <<>>} = val(O),
    {length(V), byte_size(O), V =:= V2}.
val(<<C, R/binary>>) when C =:= $\s; C =:= $\n -> val(R);
val(<<${, R/binary>>) -> obj(ws(R), []);
val(<<$[, R/binary>>) -> arr(ws(R), []);
val(<<$", R/binary>>) -> str(R, <<>>);
val(<<"null", R/binary>>) -> {null, R};
val(<<"true", R/binary>>) -> {true, R};
val(<<"false", R/binary>>) -> {false, R};
val(B) -> num(B, 0, B, false).
ws(<<C, R/binary>>) when C =:= $\s; C =:= $\n -> ws(R);
ws(B) -> B.
obj(<<$}, R/binary>>, A) -> {maps:from_list(A), R};
obj(<<$,, R/binary>>, A) -> obj(ws(R), A);
obj(<<$", R/binary>>, A) -> {K, R1} = str(R, <<>>), <<$:, R2/binary>> = ws(R1), {V, R3} = val(R2), obj(ws(R3), [{K, V} | A]).
arr(<<$], R/binary>>, A) -> {lists:reverse(A), R};
arr(<<$,, R/binary>>, A) -> arr(ws(R), A);
arr(B, A) -> {V, R} = val(B), arr(ws(R), [V | A]).
str(<<$", R/binary>>, A) -> {A, R};
str(<<$\\, $n, R/binary>>, A) -> str(R, <<A/binary, $\n>>);
str(<<$\\, C, R/binary>>, A) -> str(R, <<A/binary, C>>);
str(<<C, R/binary>>, A) -> str(R, <<A/binary, C>>).
num(<<C, R/binary>>, N, All, F) when C >= $0, C =< $9; C =:= $- -> num(R, N + 1, All, F);
num(<<$., R/binary>>, N, All, _) -> num(R, N + 1, All, true);
num(R, N, All, true) -> {binary_to_float(binary:part(All, 0, N)), R};
num(R, N, All, false) -> {binary_to_integer(binary:part(All, 0, N)), R}.
enc(M) when is_map(M) -> [${, lists:join($,, [[enc(K), $:, enc(V)] || {K, V} <- maps:to_list(M)]), $}];
enc(L) when is_list(L) -> [$[, lists:join($,, [enc(X) || X <- L]), $]];
enc(B) when is_binary(B) -> [$", << <<(esc(C))/binary>> || <<C>> <= B >>, $"];
enc(I) when is_integer(I) -> integer_to_binary(I);
enc(F) when is_float(F) -> float_to_binary(F, [{decimals, 1}]);
enc(A) -> atom_to_binary(A, utf8).
esc($\n) -> <<"\\n">>;
esc($") -> <<"\\\"">>;
esc(C) -> <<C>>.
