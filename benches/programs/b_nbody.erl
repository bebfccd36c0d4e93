%% floats: the n-body simulation of the planets.
%% repeat: 2
-module(b_nbody).
-export([run/0]).
run() -> B = offset(bodies()), round(energy(advance(50000, B)) * 1.0e12).
bodies() ->
    Sm = 4 * math:pi() * math:pi(), D = 365.24,
    [{0.0, 0.0, 0.0, 0.0, 0.0, 0.0, Sm},
     {4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.00166007664274403694 * D, 0.00769901118419740425 * D, -0.0000690460016972063023 * D, 0.000954791938424326609 * Sm},
     {8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -0.00276742510726411115 * D, 0.00499852801234917238 * D, 0.0000230417297573763929 * D, 0.000285885980666130812 * Sm},
     {12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 0.00296460137564761618 * D, 0.00237847173959480950 * D, -0.0000296589568540237556 * D, 0.0000436624404335156298 * Sm},
     {15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.00268067772490389322 * D, 0.00162824170038242295 * D, -0.0000951592254519715870 * D, 0.0000515138902046611451 * Sm}].
offset([{X, Y, Z, _, _, _, M} | T] = B) ->
    {Px, Py, Pz} = lists:foldl(fun({_, _, _, Vx, Vy, Vz, Mb}, {A, C, E}) -> {A + Vx * Mb, C + Vy * Mb, E + Vz * Mb} end, {0.0, 0.0, 0.0}, B),
    [{X, Y, Z, -Px / M, -Py / M, -Pz / M, M} | T].
advance(0, B) -> B;
advance(N, B) -> advance(N - 1, move(velocities(B, []))).
velocities([], A) -> lists:reverse(A);
velocities([H | T], A) -> {H2, T2} = pull(H, T, []), velocities(T2, [H2 | A]).
pull(H, [], A) -> {H, lists:reverse(A)};
pull({X, Y, Z, Vx, Vy, Vz, M}, [{X2, Y2, Z2, Ux, Uy, Uz, M2} | T], A) ->
    Dx = X - X2, Dy = Y - Y2, Dz = Z - Z2,
    D2 = Dx * Dx + Dy * Dy + Dz * Dz,
    Mag = 0.01 / (D2 * math:sqrt(D2)),
    Ma = M * Mag, Mb = M2 * Mag,
    pull({X, Y, Z, Vx - Dx * Mb, Vy - Dy * Mb, Vz - Dz * Mb, M}, T,
         [{X2, Y2, Z2, Ux + Dx * Ma, Uy + Dy * Ma, Uz + Dz * Ma, M2} | A]).
move(B) -> [{X + 0.01 * Vx, Y + 0.01 * Vy, Z + 0.01 * Vz, Vx, Vy, Vz, M} || {X, Y, Z, Vx, Vy, Vz, M} <- B].
energy(B) -> energy(B, 0.0).
energy([], E) -> E;
energy([{X, Y, Z, Vx, Vy, Vz, M} | T], E) ->
    E1 = E + 0.5 * M * (Vx * Vx + Vy * Vy + Vz * Vz),
    energy(T, lists:foldl(fun({X2, Y2, Z2, _, _, _, M2}, A) ->
                                  Dx = X - X2, Dy = Y - Y2, Dz = Z - Z2,
                                  A - M * M2 / math:sqrt(Dx * Dx + Dy * Dy + Dz * Dz)
                          end, E1, T)).
